package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
)

// options bound the run.
type options struct {
	tenants int
	seconds float64 // of load per server, scenario and concurrency
	rounds  int
	only    string
}

func main() {
	var o options
	flag.IntVar(&o.tenants, "tenants", 1000, "tenants in the measurement of memory")
	flag.Float64Var(&o.seconds, "seconds", 3, "seconds of load for each server, scenario and number of clients")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds that those seconds are divided into; servers take turns")
	flag.StringVar(&o.only, "only", "", "take this measurement alone: engine, start, http, secrets or tenants")
	flag.Parse()
	if flag.NArg() > 0 || o.tenants < 1 || o.seconds <= 0 || o.rounds < 1 {
		fmt.Fprintln(os.Stderr, "bench: -tenants and -rounds are at least 1, -seconds is above 0, and there are no arguments")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure takes one measurement after the other and prints each when it is there.
func measure(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "hayward-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%s %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())

	binary := filepath.Join(dir, "hayward")
	if err := build(ctx, binary); err != nil {
		return err
	}
	taken := 0
	for _, m := range []struct {
		name string
		take func() error
	}{
		{"engine", func() error { measureEngine(); return nil }},
		{"start", func() error { return errors.Join(measureSize(binary), measureStart(ctx, binary, dir)) }},
		{"http", func() error { return measureHTTP(ctx, binary, dir, o) }},
		{"secrets", func() error { return measureSecrets(ctx, binary, dir, o) }},
		{"tenants", func() error { return measureTenants(ctx, binary, dir, o.tenants) }},
	} {
		if o.only != "" && o.only != m.name {
			continue
		}
		taken++
		if err := m.take(); err != nil {
			return err
		}
	}
	if taken == 0 {
		return fmt.Errorf("there is no measurement %q", o.only)
	}
	return nil
}
