package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/growthbook/growthbook-golang"
)

const growthbookFlags = `{%q: {"defaultValue": false, "rules": [
	{"condition": {"id": {"$in": ["u-a", "u-b", "u-c"]}}, "force": true},
	{"condition": {"tenant": {"$in": ["t-a", "t-b", "t-c"]}}, "force": true},
	{"force": true, "coverage": %g, "hashAttribute": "tenant"}]}}`

func newGrowthBook(callers []caller) (contender, error) {
	ctx := context.Background()
	root, err := growthbook.NewClient(ctx, growthbook.WithLogger(slog.New(slog.DiscardHandler)),
		growthbook.WithJsonFeatures(fmt.Sprintf(growthbookFlags, flagKey, float64(percent)/100)))
	if err != nil {
		return contender{}, err
	}
	clients := make([]*growthbook.Client, len(callers))
	for i, c := range callers {
		if clients[i], err = root.WithAttributes(growthbook.Attributes{"id": c.user, "tenant": c.tenant}); err != nil {
			return contender{}, err
		}
	}
	return contender{name: "GrowthBook 0.7.0", call: func(i int) bool { return clients[i].EvalFeature(ctx, flagKey).On }}, nil
}
