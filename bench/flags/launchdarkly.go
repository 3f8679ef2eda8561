package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	ld "github.com/launchdarkly/go-server-sdk/v7"
	"github.com/launchdarkly/go-server-sdk/v7/ldcomponents"
	"github.com/launchdarkly/go-server-sdk/v7/ldfiledata"
)

const launchdarklyFlags = `{"flags": {%[1]q: {"key": %[1]q, "on": true, "version": 1, "salt": "s", "offVariation": 1, "variations": [true, false],
	"targets": [{"values": ["u-a", "u-b", "u-c"], "variation": 0}],
	"rules": [{"id": "r", "variation": 0, "clauses": [{"attribute": "tenant", "op": "in", "values": ["t-a", "t-b", "t-c"]}]}],
	"fallthrough": {"rollout": {"bucketBy": "tenant", "variations": [{"variation": 0, "weight": %[2]d}, {"variation": 1, "weight": %[3]d}]}}}}}`

func newLaunchDarkly(callers []caller) (contender, error) {
	dir, err := os.MkdirTemp("", "flags")
	if err != nil {
		return contender{}, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "flags.json")
	if err := os.WriteFile(file, fmt.Appendf(nil, launchdarklyFlags, flagKey, percent*1000, (100-percent)*1000), 0o600); err != nil {
		return contender{}, err
	}
	client, err := ld.MakeCustomClient("none", ld.Config{DataSource: ldfiledata.DataSource().FilePaths(file), Events: ldcomponents.NoEvents(),
		Logging: ldcomponents.NoLogging(), DiagnosticOptOut: true}, 10*time.Second)
	if err != nil {
		return contender{}, err
	}
	ctxs := make([]ldcontext.Context, len(callers))
	for i, c := range callers {
		ctxs[i] = ldcontext.NewBuilder(c.user).SetString("tenant", c.tenant).Build()
	}
	return contender{name: "LaunchDarkly 7.14.6", close: func() { _ = client.Close() }, call: func(i int) bool {
		v, err := client.BoolVariation(flagKey, ctxs[i], false)
		return err == nil && v
	}}, nil
}
