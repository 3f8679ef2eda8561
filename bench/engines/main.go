package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	rounds = 10
	each   = 100 * time.Millisecond // of work per subject and round
)

func main() {
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "engines:", err)
		os.Exit(1)
	}
}

// subject is something that can be timed: it returns nanoseconds per operation.
type subject struct {
	name  string
	round func() (float64, error)
	times []float64
}

// native times a Go function for about the time of a round.
func native(label string, do func() error, err error) (*subject, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", label, err)
	}
	count := 1
	return &subject{name: label, round: func() (float64, error) {
		for {
			runtime.GC() // nobody pays for what another left behind
			begin := time.Now()
			for range count {
				if err := do(); err != nil {
					return 0, err
				}
			}
			if took := time.Since(begin); took >= each {
				return float64(took.Nanoseconds()) / float64(count), nil
			}
			count *= 2
		}
	}}, nil
}

// compare takes turns and prints medians and ratios to the first subject.
func compare(title string, per int, goals map[string]float64, subjects ...*subject) error {
	for range rounds {
		for _, s := range subjects {
			t, err := s.round()
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			s.times = append(s.times, t/float64(per))
		}
	}
	fmt.Println(title)
	own := median(subjects[0].times)
	for _, s := range subjects {
		m := median(s.times)
		fmt.Printf("  %-16s %12.0f ns", s.name, m)
		if s != subjects[0] {
			fmt.Printf("   %7.1f x ours", m/own)
		}
		if g := goals[s.name]; g > 0 {
			fmt.Printf("   goal %.0f x", g)
		}
		fmt.Println()
	}
	return nil
}

func median(times []float64) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func measure() error {
	prompt, err := ragPrompt()
	if err != nil {
		return err
	}
	source, err := os.ReadFile("pipeline.yml")
	if err != nil {
		return err
	}
	py, err := startPython(prompt)
	if err != nil {
		return err
	}
	defer py.stop()
	for _, n := range []int{2, 10, 50} {
		run, err := haywardChain(n)
		ours, err1 := native("Hayward", run, err)
		run, err = einoChain(n)
		eino, err2 := native("eino", run, err)
		run, err = langchainChain(n)
		lang, err3 := native("langchaingo", run, err)
		if err := cmp.Or(err1, err2, err3); err != nil {
			return err
		}
		if err := compare(fmt.Sprintf("a component that does nothing, of %d in a row", n), n, map[string]float64{"eino": 8, "Haystack": 200},
			ours, eino, lang, py.subject("Haystack", fmt.Sprintf("nodes %d", n))); err != nil {
			return err
		}
	}
	run, err := haywardPrompt(prompt)
	ours, err := native("Hayward", run, err)
	if err != nil {
		return err
	}
	if err := compare("a prompt of 10 documents", 1, map[string]float64{"Jinja2": 4}, ours, py.subject("Jinja2", "prompt")); err != nil {
		return err
	}
	run, err = haywardLoad(source)
	if ours, err = native("Hayward", run, err); err != nil {
		return err
	}
	return compare("loading a file of 10 components", 1, map[string]float64{"Haystack": 40}, ours, py.subject("Haystack", "load"))
}

// ragPrompt is the prompt that the package jinja measures itself with.
func ragPrompt() (string, error) {
	src, err := os.ReadFile("../../pipeline/jinja/bench_test.go")
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile("(?s)const ragPrompt = `(.*?)`").FindSubmatch(src)
	if found == nil {
		return "", fmt.Errorf("there is no ragPrompt in pipeline/jinja/bench_test.go")
	}
	return string(found[1]), nil
}

// python is a process that times what it is told to.
type python struct {
	cmd *exec.Cmd
	in  *bufio.Writer
	out *bufio.Scanner
	dir string
}

func startPython(prompt string) (*python, error) {
	program := cmp.Or(os.Getenv("HAYWARD_ORACLE_PYTHON"), "../../.oracle/bin/python")
	dir, err := os.MkdirTemp("", "engines-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "prompt.txt")
	if err := os.WriteFile(file, []byte(prompt), 0o600); err != nil {
		return nil, err
	}
	p := &python{cmd: exec.Command(program, "-W", "ignore", "python.py", "pipeline.yml", file), dir: dir}
	p.cmd.Env = append(os.Environ(), "HAYSTACK_TELEMETRY_ENABLED=False", "OPENAI_API_KEY=x")
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = bufio.NewWriter(in), bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("Python with haystack-ai is needed (HAYWARD_ORACLE_PYTHON): %w", err)
	}
	if !p.out.Scan() || p.out.Text() != "ready" {
		return nil, fmt.Errorf("Python did not start: %q", p.out.Text())
	}
	return p, nil
}

func (p *python) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
}

func (p *python) subject(label, what string) *subject {
	count := 1
	return &subject{name: label, round: func() (float64, error) {
		for {
			fmt.Fprintf(p.in, "%s %d\n", what, count)
			if err := p.in.Flush(); err != nil {
				return 0, err
			}
			if !p.out.Scan() {
				return 0, fmt.Errorf("Python ended")
			}
			t, err := strconv.ParseFloat(strings.TrimSpace(p.out.Text()), 64)
			if err != nil || t*float64(count) >= float64(each) {
				return t, err
			}
			count *= 2
		}
	}}
}
