package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// scenario is a pipeline that both servers run.
type scenario struct {
	name, title, source string
}

// measureHTTP prints requests per second and latencies of both servers on the same pipelines.
func measureHTTP(ctx context.Context, binary, dir string, o options) error {
	model := newModel()
	defer model.Close()
	scenarios := []scenario{
		{"two", "two components that write prompts", twoNodes},
		{"model", "a prompt and a model on loopback, with a secret from the vault", withModel(model.URL)},
	}
	home := filepath.Join(dir, "http")
	if err := newHome(ctx, binary, home); err != nil {
		return err
	}
	ours, err := serve(ctx, binary, home, strings.TrimPrefix(model.URL, "http://"))
	if err != nil {
		return err
	}
	defer ours.stop()
	token, err := prepare(ctx, ours.url, model.URL, scenarios)
	if err != nil {
		return err
	}
	heading("Requests over HTTP: Hayward with login, policy, secrets and audit on; Hayhooks 2.1 with none of them")
	theirs, why, err := startHayhooks(ctx, dir)
	if err != nil {
		return fmt.Errorf("hayhooks: %w", err)
	}
	if theirs == nil {
		fmt.Printf("  Hayhooks is missing (%s): no comparison. See conformance/oracle/requirements.txt.\n", why)
	} else {
		defer theirs.stop()
	}
	for _, s := range scenarios {
		if theirs != nil {
			if err := deploy(ctx, theirs.url, "", s.name, s.source); err != nil {
				return fmt.Errorf("hayhooks: %w", err)
			}
		}
		if err := compare(ctx, s, ours, theirs, token, o); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the tenant that sends the requests.
func prepare(ctx context.Context, base, modelURL string, scenarios []scenario) (token string, err error) {
	operator, err := login(ctx, base, operatorName)
	if err != nil {
		return "", err
	}
	if token, err = admit(ctx, base, operator, "acme"); err != nil {
		return "", err
	}
	if err := setSecret(ctx, base, token, modelURL); err != nil {
		return "", err
	}
	for _, s := range scenarios {
		if err := deploy(ctx, base, token, s.name, s.source); err != nil {
			return "", err
		}
	}
	return token, nil
}

// compare loads both servers in turns, with few and with many clients.
func compare(ctx context.Context, s scenario, ours, theirs *server, token string, o options) error {
	fmt.Printf("  %s\n", s.title)
	targets := []target{{url: ours.url + "/" + s.name + "/run", token: token}}
	names := []string{"Hayward", "Hayhooks"}
	if theirs != nil {
		targets = append(targets, target{url: theirs.url + "/" + s.name + "/run"})
	}
	for _, clients := range []int{1, 8, 32} {
		results := make([]result, len(targets))
		for round := range o.rounds + 1 {
			each := time.Duration(o.seconds / float64(o.rounds) * float64(time.Second))
			for i, t := range targets {
				r, err := load(ctx, t, clients, each)
				if err != nil {
					return err
				}
				if round > 0 { // the first is for warming up
					results[i].add(r)
				}
			}
		}
		for i, r := range results {
			fmt.Printf("    %2d clients  %-9s %9.0f requests/s   p50 %10s   p99 %10s   (%d requests)\n", clients, names[i], r.perSecond(),
				ms(r.percentile(50)), ms(r.percentile(99)), len(r.times))
		}
		if len(results) == 2 {
			fmt.Printf("    %2d clients  ratio     %8.1fx   goal 30x\n", clients, results[0].perSecond()/results[1].perSecond())
		}
	}
	return nil
}
