package db

import (
	"runtime"
	"strings"
)

// WaitQueued returns once n writes wait for the writer. They stand in a channel send, which nothing but the stacks shows.
func WaitQueued(_ *DB, n int) {
	buf := make([]byte, 1<<20)
	for waiting := 0; waiting < n; runtime.Gosched() {
		waiting = 0
		for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			head, _, _ := strings.Cut(stack, "\n")
			if strings.Contains(head, "[select") && strings.Contains(stack, ".(*DB).enqueue(") {
				waiting++
			}
		}
	}
}

// MaxPrepared is how many statements a connection keeps.
const MaxPrepared = maxPrepared
