// Goroutines at the work of the rows. One OS thread, but where the row says two.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

var rows = map[string]func(int) float64{
	"yield_2":        func(n int) float64 { return yields(n, 2) },
	"yield_1000":     func(n int) float64 { return yields(n, 1000) },
	"yield_100000":   func(n int) float64 { return yields(n, 100000) },
	"spawn_join":     spawnJoin,
	"spawn_many":     spawnMany,
	"channel_1":      func(n int) float64 { return channel(n, 1) },
	"channel_64":     func(n int) float64 { return channel(n, 64) },
	"channel_1_two":  func(n int) float64 { return channelTwo(n, 1) },
	"channel_64_two": func(n int) float64 { return channelTwo(n, 64) },
	"wake_asleep":    func(n int) float64 { return wake(n, false) },
	"wake_busy":      func(n int) float64 { return wake(n, true) },
	"timers_cpu":     func(n int) float64 { cpu, _ := timers(n); return cpu },
	"timers_late":    func(n int) float64 { _, late := timers(n); return late },
	"parked":         parked,
	"echo":           serveEcho,
	"http":           serveHTTP,
}

func main() {
	if os.Args[1] == "rows" {
		for name := range rows {
			fmt.Println(name)
		}
		return
	}
	runtime.GOMAXPROCS(1)
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	fmt.Println(rows[os.Args[1]](count))
}

// Nanoseconds of CPU time of each of count operations, for work on one OS thread.
func each(count int, work func()) float64 {
	begin := cpu()
	work()
	return float64((cpu() - begin).Nanoseconds()) / float64(count)
}

// Nanoseconds that pass for each of count operations, for work on two OS threads.
func eachPassing(count int, work func()) float64 {
	begin := time.Now()
	work()
	return float64(time.Since(begin).Nanoseconds()) / float64(count)
}

func yields(count, goroutines int) float64 {
	for i := 1; i < goroutines; i++ {
		go func() {
			for {
				runtime.Gosched()
			}
		}()
	}
	runtime.Gosched()
	rounds := count / goroutines
	if rounds == 0 {
		rounds = 1
	}
	return each(rounds*goroutines, func() {
		for i := 0; i < rounds; i++ {
			runtime.Gosched()
		}
	})
}

func spawnJoin(count int) float64 {
	return each(count, func() {
		done := make(chan int)
		for i := 0; i < count; i++ {
			value := i
			go func() { done <- value }()
			if <-done != i {
				panic("another value")
			}
		}
	})
}

func spawnMany(count int) float64 {
	many := func() {
		var all sync.WaitGroup
		results := make([]int, 100000)
		all.Add(len(results))
		for i := range results {
			place := i
			go func() {
				results[place] = place
				all.Done()
			}()
		}
		all.Wait()
	}
	many()
	return each(count, func() {
		for i := 0; i < count/100000; i++ {
			many()
		}
	})
}

func channel(count, capacity int) float64 {
	return each(count, func() { passItems(count, capacity) })
}

func channelTwo(count, capacity int) float64 {
	runtime.GOMAXPROCS(2)
	return eachPassing(count, func() { passItems(count, capacity) })
}

func passItems(count, capacity int) {
	items := make(chan int, capacity)
	sum := make(chan int)
	go func() {
		for i := 0; i < count; i++ {
			items <- i
		}
		close(items)
	}()
	go func() {
		total := 0
		for item := range items {
			total += item
		}
		sum <- total
	}()
	if <-sum != count*(count-1)/2 {
		panic("another sum")
	}
}

func wake(count int, busy bool) float64 {
	runtime.GOMAXPROCS(2)
	there, back := make(chan int, 1), make(chan int, 1)
	if busy {
		for i := 0; i < 2; i++ {
			go func() {
				for {
					runtime.Gosched()
				}
			}()
		}
	}
	go func() {
		runtime.LockOSThread()
		for value := range there {
			back <- value
		}
	}()
	runtime.LockOSThread()
	return eachPassing(count*2, func() {
		for i := 0; i < count; i++ {
			there <- i
			if <-back != i {
				panic("another value")
			}
		}
	})
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// The same moments as everywhere: xorshift over a second.
func timers(count int) (float64, float64) {
	before := cpu()
	late := make([]time.Duration, count)
	var all sync.WaitGroup
	all.Add(count)
	begin := time.Now().Add(100 * time.Millisecond)
	state := uint64(0x9E3779B97F4A7C15)
	for i := range late {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		place, due := i, begin.Add(time.Duration(state%1000000000))
		go func() {
			time.Sleep(time.Until(due))
			late[place] = time.Since(due)
			all.Done()
		}()
	}
	all.Wait()
	used := float64((cpu() - before).Nanoseconds()) / float64(count)
	sort.Slice(late, func(a, b int) bool { return late[a] < late[b] })
	return used, float64(late[count*99/100].Nanoseconds()) / 1000
}

// Bytes of memory, page tables included.
func memory() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	total := 0
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS:") || strings.HasPrefix(line, "VmPTE:") {
			number, _ := strconv.Atoi(strings.Fields(line)[1])
			total += number * 1024
		}
	}
	return total
}

func parked(count int) float64 {
	before := memory()
	gate := make(chan int)
	for i := 0; i < count; i++ {
		go func() { <-gate }()
	}
	runtime.Gosched()
	return float64(memory()-before) / float64(count)
}
