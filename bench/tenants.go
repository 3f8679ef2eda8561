package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// settle is how long a server is left alone before it is weighed: the Go runtime gives freed memory back slowly.
const settle = 20 * time.Second

// measureTenants prints what a server weighs with many tenants, each with a user, a secret and a pipeline: after a start,
// when none of them has done anything, and after each of them has run its pipeline.
func measureTenants(ctx context.Context, binary, dir string, n int) error {
	heading("Memory with %d tenants, each with a user, a secret and a deployed pipeline", n)
	home := filepath.Join(dir, "tenants")
	if err := newHome(ctx, binary, home); err != nil {
		return err
	}
	empty, err := weigh(ctx, binary, home, nil)
	if err != nil {
		return err
	}
	tokens := make([]string, n)
	full, err := weigh(ctx, binary, home, func(s *server) error { return settleIn(ctx, s, tokens) })
	if err != nil {
		return err
	}
	idle, err := weigh(ctx, binary, home, nil)
	if err != nil {
		return err
	}
	used, err := weigh(ctx, binary, home, func(s *server) error { return each(tokens, func(i int) error { return runOnce(ctx, s, tokens[i]) }) })
	if err != nil {
		return err
	}
	line("no tenants", kib(empty), "")
	line("right after setting all of them up", kib(full), "")
	line("started again, all idle", kib(idle), "")
	line("per idle tenant", fmt.Sprintf("%.1f KB", float64(idle-empty)/float64(n)), "8 KB")
	line("each has run its pipeline, then idle", kib(used), "")
	line("per tenant that has run", fmt.Sprintf("%.1f KB", float64(used-empty)/float64(n)), "")
	return nil
}

// weigh starts a server, has it do something, leaves it alone and returns its resident memory in KB.
func weigh(ctx context.Context, binary, home string, work func(*server) error) (int64, error) {
	s, err := serve(ctx, binary, home)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	if work != nil {
		if err := work(s); err != nil {
			return 0, err
		}
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return s.resident()
}

// settleIn makes one tenant for each token.
func settleIn(ctx context.Context, s *server, tokens []string) error {
	operator, err := login(ctx, s.url, operatorName)
	if err != nil {
		return err
	}
	return each(tokens, func(i int) error {
		token, err := admit(ctx, s.url, operator, fmt.Sprintf("tenant-%d", i))
		if err != nil {
			return err
		}
		tokens[i] = token
		if err := setSecret(ctx, s.url, token, "https://api.openai.com"); err != nil {
			return err
		}
		return deploy(ctx, s.url, token, "two", twoNodes)
	})
}

func runOnce(ctx context.Context, s *server, token string) error {
	return call(ctx, "POST", s.url+"/two/run", token, object{"name": "x", "number": 1}, nil)
}

// each calls fn for every token, four at a time, until one fails.
func each(tokens []string, fn func(i int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, 4)
	for w := range errs {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(tokens) && errs[w] == nil; i = int(next.Add(1)) - 1 {
				errs[w] = fn(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
