package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// measureSecrets prints what an audited read of a secret's value costs over HTTP: login, policy, two audit entries on disk,
// decryption. OpenBao 2.6.2 with a file audit device served 4,600 such reads a second at 8 connections, and used 326 us of
// processor each, on two cores of the same kind, its client among them (measured once; OpenBao is in no registry).
func measureSecrets(ctx context.Context, binary, dir string, o options) error {
	home := filepath.Join(dir, "secrets")
	if err := newHome(ctx, binary, home); err != nil {
		return err
	}
	s, err := serve(ctx, binary, home)
	if err != nil {
		return err
	}
	defer s.stop()
	operator, err := login(ctx, s.url, operatorName)
	if err != nil {
		return err
	}
	token, err := admit(ctx, s.url, operator, "acme")
	if err != nil {
		return err
	}
	if err := setSecret(ctx, s.url, token, "https://api.openai.com"); err != nil {
		return err
	}
	heading("Reads of a secret over HTTP, audited twice each; OpenBao with file audit: 4,600/s and 326 us of processor at 8 clients")
	read := target{url: s.url + "/api/v1/secrets/OPENAI_API_KEY/reveal", token: token, body: func() string { return "" }}
	for _, clients := range []int{1, 8, 32} {
		if err := readSecrets(ctx, s, read, clients, o); err != nil {
			return err
		}
	}
	return nil
}

func readSecrets(ctx context.Context, s *server, t target, clients int, o options) error {
	each := time.Duration(o.seconds / float64(o.rounds) * float64(time.Second))
	if _, err := load(ctx, t, clients, each); err != nil { // warming up
		return err
	}
	var sum result
	before, err := s.cpu()
	if err != nil {
		return err
	}
	for range o.rounds {
		r, err := load(ctx, t, clients, each)
		if err != nil {
			return err
		}
		sum.add(r)
	}
	after, err := s.cpu()
	if err != nil {
		return err
	}
	used := (after - before) / time.Duration(len(sum.times))
	fmt.Printf("    %2d clients  %9.0f reads/s   p50 %10s   p99 %10s   %4d us of processor each   goal 82 us at 8 clients\n",
		clients, sum.perSecond(), ms(sum.percentile(50)), ms(sum.percentile(99)), used.Microseconds())
	return nil
}
