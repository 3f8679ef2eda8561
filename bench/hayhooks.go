package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/haywardhq/hayward/internal/parts"
)

// startHayhooks starts Python's server with its defaults, no telemetry and little logging. It returns nil and why where
// it is not installed.
func startHayhooks(ctx context.Context, dir string) (s *server, why string, err error) {
	python, why := parts.Find(parts.Hayhooks)
	if why != "" {
		return nil, why, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, "", err
	}
	home := filepath.Join(dir, "hayhooks")
	if err := os.MkdirAll(filepath.Join(home, "pipelines"), 0o700); err != nil {
		return nil, "", err
	}
	env := parts.OracleEnv("HAYHOOKS_HOST=127.0.0.1", "HAYHOOKS_PORT="+port, "HAYHOOKS_PIPELINES_DIR="+filepath.Join(home, "pipelines"),
		"LOG=WARNING", "HAYHOOKS_TRACING_ENABLED=false", "OPENAI_API_KEY="+modelKey, "HOME="+home)
	p, err := start(ctx, home, env, python, "-W", "ignore", "-c", "from hayhooks.cli import hayhooks_cli; hayhooks_cli()", "run")
	if err != nil {
		return nil, "", err
	}
	s = &server{process: p, url: "http://127.0.0.1:" + port}
	began := time.Now()
	if err := p.await(ctx, s.url+"/status", 2*time.Minute); err != nil {
		p.stop()
		return nil, "", err
	}
	line("Hayhooks: start to first answer", fmt.Sprintf("%.1f s", time.Since(began).Seconds()), "")
	if kb, err := p.resident(); err == nil {
		line("Hayhooks: resident memory, idle", kib(kb), "")
	}
	return s, "", nil
}
