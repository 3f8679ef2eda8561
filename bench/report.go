package main

import (
	"fmt"
	"time"
)

func heading(format string, args ...any) { fmt.Printf("\n"+format+"\n", args...) }

// line prints one figure; goal is empty where there is none.
func line(what, figure, goal string) {
	if goal != "" {
		goal = "   goal " + goal
	}
	fmt.Printf("  %-44s %14s%s\n", what, figure, goal)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Nanoseconds())/1e6) }

func kib(n int64) string { return fmt.Sprintf("%d KB", n) }
