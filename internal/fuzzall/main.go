package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

type target struct {
	pkg, name string
	args      []string
}

// targets are run in this order: the slow to build first.
var targets = []target{
	// A snapshot is long, and minimising each new one would take all the time.
	{pkg: "./pipeline", name: "FuzzSnapshot", args: []string{"-fuzzminimizetime", "5x"}},
	{pkg: "./pipeline", name: "FuzzLoad"},
	{pkg: "./pipeline/jinja", name: "FuzzCompile"},
	{pkg: "./pipeline/jinja", name: "FuzzRender"},
	{pkg: "./pipeline/pyyaml", name: "FuzzLoad"},
	{pkg: "./pipeline/pyyaml", name: "FuzzDump"},
	{pkg: "./pipeline/pytype", name: "FuzzParse"},
	{pkg: "./pipeline/docstore/filter", name: "FuzzFilter"},
	{pkg: "./pipeline/docstore/filter", name: "FuzzDates"},
}

func main() {
	each := flag.Duration("time", 20*time.Second, "how long each target runs")
	atOnce := flag.Int("at-once", 2, "how many run at once; they share the processors")
	only := flag.String("only", "", "run only targets whose package and name contain this")
	log := flag.String("log", "", "also write to this file")
	keep := flag.Int("keep", 0, "run nothing: fill each target's testdata/fuzz to this many inputs from what earlier runs found")
	flag.Parse()
	if err := run(*each, *atOnce, *only, *log, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "fuzzall:", err)
		os.Exit(1)
	}
}

func run(each time.Duration, atOnce int, only, log string, keepUpTo int) error {
	chosen := choose(only)
	if len(chosen) == 0 {
		return fmt.Errorf("no target is like %q", only)
	}
	if keepUpTo > 0 {
		return keepAll(chosen, keepUpTo)
	}
	out := io.Writer(os.Stdout)
	if log != "" {
		if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
			return err
		}
		f, err := os.Create(log)
		if err != nil {
			return err
		}
		defer f.Close()
		out = io.MultiWriter(out, f)
	}
	fmt.Fprintf(out, "commit %s, %s each, %d at once, %s, %d processors\n", commit(), each, atOnce, runtime.Version(), runtime.NumCPU())
	begin := time.Now()
	failed := fuzz(out, chosen, each, max(1, atOnce))
	fmt.Fprintf(out, "%d targets, %d failed, took %s\n", len(chosen), failed, time.Since(begin).Round(time.Second))
	if failed > 0 {
		return fmt.Errorf("%d targets failed", failed)
	}
	return nil
}

func choose(only string) (chosen []target) {
	for _, t := range targets {
		if strings.Contains(t.pkg+" "+t.name, only) {
			chosen = append(chosen, t)
		}
	}
	return chosen
}

// fuzz runs the targets and returns how many failed.
func fuzz(out io.Writer, chosen []target, each time.Duration, atOnce int) (failed int) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, atOnce)
	workers := max(1, runtime.NumCPU()/atOnce)
	for _, t := range chosen {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			text, err := exec.Command("go", t.command(each, workers)...).CombinedOutput()
			line, good := judge(string(text), err)
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(out, "%s %s: %s\n", t.pkg, t.name, line)
			if !good {
				failed++
				fmt.Fprintf(out, "%s\n", text)
			}
		})
	}
	wg.Wait()
	return failed
}

func (t target) command(each time.Duration, workers int) []string {
	args := []string{"test", "-run", "^$", "-fuzz", "^" + t.name + "$", "-fuzztime", each.String(), "-parallel", fmt.Sprint(workers)}
	return append(append(args, t.args...), t.pkg)
}

// judge makes one line of what go test printed, and says whether the target held. Some versions of go report the end of
// the time itself as a failure ("context deadline exceeded") when it comes at a bad moment; such an end has no input and
// is none.
func judge(text string, err error) (line string, good bool) {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "fuzz: elapsed:") {
			line = strings.TrimSpace(strings.TrimPrefix(l, "fuzz: "))
		}
	}
	switch {
	case line == "":
		return "did not run", false
	case err == nil:
		return "held, " + line, true
	case strings.Contains(text, "context deadline exceeded") && !strings.Contains(text, "Failing input") && !strings.Contains(text, "panic"):
		return "held until its time was over, " + line, true
	}
	return "FAILED, " + line, false
}

func commit() string {
	head, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(head))
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(changed) > 0 {
		name += " with changes"
	}
	return name
}
