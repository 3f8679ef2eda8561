// Hayward runs Haystack pipelines: one file on a laptop, or many for many tenants behind a login.
//
// This package is the program: one file per noun, each a cobra command that reads flags, calls one room and prints. main
// does signals and the exit code. What takes more than that lives in internal: app puts the server together, local runs
// files without one, demo sets up the demo, config reads settings, credentials keeps logins, tui talks to terminals.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(execute()) }

func execute() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &cli{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	return c.execute(ctx, os.Args[1:])
}
