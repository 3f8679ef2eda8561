package main

import (
	"context"
	"fmt"

	"github.com/open-feature/flagd/core/pkg/evaluator"
	"github.com/open-feature/flagd/core/pkg/logger"
	"github.com/open-feature/flagd/core/pkg/store"
	"github.com/open-feature/flagd/core/pkg/sync"
	"go.uber.org/zap"
)

const flagdFlags = `{"flags": {%q: {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"if": [
	{"in": [{"var": "user"}, ["u-a", "u-b", "u-c"]]}, "on",
	{"in": [{"var": "tenant"}, ["t-a", "t-b", "t-c"]]}, "on",
	{"fractional": [{"cat": [{"var": "$flagd.flagKey"}, {"var": "tenant"}]}, ["on", %d], ["off", %d]]}]}}}}`

func newFlagd(callers []caller) (contender, error) {
	log := logger.NewLogger(zap.NewNop(), false)
	st, err := store.NewStore(log, []string{"bench"})
	if err != nil {
		return contender{}, err
	}
	ev := evaluator.NewJSON(log, st)
	if err := ev.SetState(sync.DataSync{Source: "bench", FlagData: fmt.Sprintf(flagdFlags, flagKey, percent, 100-percent)}); err != nil {
		return contender{}, err
	}
	ctx := context.Background()
	attributes := make([]map[string]any, len(callers))
	for i, c := range callers {
		attributes[i] = map[string]any{"user": c.user, "tenant": c.tenant}
	}
	return contender{name: "flagd core 0.16.1", call: func(i int) bool {
		// flagd writes into the map it is given, so that callers at the same time need a map each, as its own server makes one.
		own := make(map[string]any, 2)
		own["user"], own["tenant"] = attributes[i]["user"], attributes[i]["tenant"]
		v, _, _, _, err := ev.ResolveBooleanValue(ctx, "", flagKey, own)
		return err == nil && v
	}}, nil
}
