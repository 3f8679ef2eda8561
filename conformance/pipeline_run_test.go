package conformance_test

import (
	"context"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pipelinetest"
	"github.com/haywardhq/hayward/pipeline/value"
)

// TestPipelineRuns runs every recorded pipeline with the real components. A class that is not delivered, or was never
// published, is played by a stand-in with the recorded sockets and outputs; the last line names them.
func TestPipelineRuns(t *testing.T) {
	reg := components.Registry().With(pipelinetest.Types()...)
	played := map[string]bool{}
	runs, real := 0, 0
	for _, s := range pipelinetest.Scenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			provider := memory.NewProvider()
			if s.Stores != nil && s.YAML != "" {
				fillStores(t, provider, &s)
			}
			missing := s.Check(t, pipelinetest.Options{Registry: reg, RunOptions: []pipeline.Option{pipeline.WithStores(provider)}})
			for _, class := range missing {
				played[class[strings.LastIndexByte(class, '.')+1:]] = true
			}
			runs += len(s.Runs)
			if len(missing) == 0 {
				real += len(s.Runs)
			}
		})
	}
	var names []string
	for n := range played {
		names = append(names, n)
	}
	sort.Strings(names)
	if real == 0 {
		t.Error("no recorded run was made with real components alone")
	}
	t.Logf("%d runs, %d of them with real components only; played by stand-ins: %s", runs, real, strings.Join(names, ", "))
}

// fillStores writes what the scenario's stores held before its runs.
func fillStores(t *testing.T, provider docstore.Provider, s *pipelinetest.Scenario) {
	t.Helper()
	plan, _ := s.Plan(t, pipelinetest.Options{Registry: components.Registry().With(pipelinetest.Types()...)}, &pipelinetest.Script{})
	for index, list := range s.Stores.Strings() {
		docs, err := document.FromList(list)
		if err != nil {
			t.Fatal(err)
		}
		refs := plan.Stores()
		i := slices.IndexFunc(refs, func(r docstore.Ref) bool { return r.Index == index })
		if i < 0 {
			t.Fatalf("no component names the store %s; the plan has %s", index, value.Repr(value.Str(index)))
		}
		store, err := provider.Open(context.Background(), refs[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.WriteDocuments(context.Background(), docs, docstore.PolicyOverwrite); err != nil {
			t.Fatal(err)
		}
	}
}
