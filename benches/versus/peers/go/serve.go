// The servers of the rows: echo, and HTTP by net/http.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

var servers = []string{"echo_1", "echo_64", "echo_1000", "echo_10000", "http_1", "http_16"}

// Serves on a free port, which it prints, until its standard input ends.
func serve(row string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	if strings.HasPrefix(row, "echo") {
		go echo(listener)
	} else {
		go http.Serve(listener, http.HandlerFunc(hello))
	}
	io.Copy(io.Discard, os.Stdin)
}

func echo(listener net.Listener) {
	for {
		stream, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			buffer := make([]byte, 4096)
			for {
				read, err := stream.Read(buffer)
				if err != nil {
					return
				}
				if _, err := stream.Write(buffer[:read]); err != nil {
					return
				}
			}
		}()
	}
}

func hello(answer http.ResponseWriter, _ *http.Request) {
	answer.Write([]byte("Hello, world!"))
}
