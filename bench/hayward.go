package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	operatorName = "olga"
	password     = "a password for one benchmark"
)

// server is a Hayward under measurement.
type server struct {
	*process
	url string
}

func build(ctx context.Context, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/haywardhq/hayward/cmd/hayward")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	return nil
}

func measureSize(binary string) error {
	info, err := os.Stat(binary)
	if err != nil {
		return err
	}
	heading("The program")
	line("size of the binary", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "below 60 MB")
	return nil
}

func files(dir string) []string {
	return []string{"--data-dir", filepath.Join(dir, "data"), "--root-key-file", filepath.Join(dir, "key", "root.key")}
}

// newHome makes a data directory with an operator.
func newHome(ctx context.Context, binary, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "key"), 0o700); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, append([]string{"operator", "create", operatorName, "--password-stdin"}, files(dir)...)...)
	cmd.Stdin, cmd.Env = strings.NewReader(password+"\n"), quietEnv(dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("creating the operator: %w\n%s", err, out)
	}
	return nil
}

// quietEnv keeps the caller's settings and keys out of what is measured.
func quietEnv(home string) []string { return []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")} }

// serve starts the program on a home. Limits per address are lifted: one client plays everybody.
func serve(ctx context.Context, binary, dir string, egress ...string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--listen", "127.0.0.1:" + port, "--issuer", "http://bench", "--log-level", "warn", "--ip-per-minute", "0",
		"--login-failures", "1000", "--login-failures-per-address", "100000"}, files(dir)...)
	for _, e := range egress {
		args = append(args, "--egress-allow", e)
	}
	p, err := start(ctx, dir, quietEnv(dir), binary, args...)
	if err != nil {
		return nil, err
	}
	s := &server{process: p, url: "http://127.0.0.1:" + port}
	if err := p.await(ctx, s.url+"/healthz", 30*time.Second); err != nil {
		p.stop()
		return nil, err
	}
	return s, nil
}

// measureStart prints the time from starting the process to its first answer, on a fresh directory and on one that has
// been used, and what the idle process weighs.
func measureStart(ctx context.Context, binary, dir string) error {
	home := filepath.Join(dir, "start")
	if err := newHome(ctx, binary, home); err != nil {
		return err
	}
	best := time.Hour
	var idle int64
	for range 5 {
		began := time.Now()
		s, err := serve(ctx, binary, home)
		if err != nil {
			return err
		}
		best = min(best, time.Since(began))
		time.Sleep(time.Second)
		idle, err = s.resident()
		s.stop()
		if err != nil {
			return err
		}
	}
	line("process start to first answer (best of 5)", ms(best), "150 ms")
	line("resident memory, idle, no tenants", kib(idle), "")
	return nil
}
