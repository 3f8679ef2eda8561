package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	ffclient "github.com/thomaspoignant/go-feature-flag"
	"github.com/thomaspoignant/go-feature-flag/ffcontext"
)

const goffFlags = `
%s:
  trackEvents: false
  bucketingKey: tenant
  variations: {on: true, off: false}
  targeting:
    - {name: users, query: 'key in ["u-a", "u-b", "u-c"]', variation: on}
    - {name: tenants, query: 'tenant in ["t-a", "t-b", "t-c"]', variation: on}
  defaultRule: {name: rollout, percentage: {on: %d, off: %d}}
`

type inMemory string

func (m inMemory) Retrieve(context.Context) ([]byte, error) { return []byte(m), nil }

func newGOFF(callers []caller) (contender, error) {
	ff, err := ffclient.New(ffclient.Config{PollingInterval: time.Hour, LeveledLogger: slog.New(slog.DiscardHandler), Context: context.Background(),
		Retriever: inMemory(fmt.Sprintf(goffFlags, flagKey, percent, 100-percent))})
	if err != nil {
		return contender{}, err
	}
	ctxs := make([]ffcontext.Context, len(callers))
	for i, c := range callers {
		ctxs[i] = ffcontext.NewEvaluationContextBuilder(c.user).AddCustom("tenant", c.tenant).Build()
	}
	return contender{name: "GO Feature Flag 1.55.2", close: ff.Close, call: func(i int) bool {
		v, err := ff.BoolVariation(flagKey, ctxs[i], false)
		return err == nil && v
	}}, nil
}
