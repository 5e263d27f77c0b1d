package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

// A listener on a free port, which is said as the first line.
func listen() net.Listener {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	os.Stdout.Sync()
	return listener
}

// A goroutine for each connection; serves until it is killed.
func serveEcho(int) float64 {
	listener := listen()
	for {
		connection, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go echo(connection)
	}
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 1024)
	for {
		count, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:count]); err != nil {
			return
		}
	}
}

// net/http as it is.
func serveHTTP(int) float64 {
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "Hello, World!")
	}
	panic(http.Serve(listen(), http.HandlerFunc(answer)))
}
