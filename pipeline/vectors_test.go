package pipeline_test

import (
	"testing"

	"github.com/haywardhq/hayward/pipeline/pipelinetest"
)

// Every recorded run of ../shared/vectors/pipeline_run.json: order, per-visit inputs, outputs and errors. Only Haystack's
// sample components are real here; everything else is played by stand-ins. conformance/ runs the same with the real ones.
func TestRecordedRuns(t *testing.T) {
	runs := 0
	for _, s := range pipelinetest.Scenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			s.Check(t, pipelinetest.Options{})
			runs += len(s.Runs)
		})
		t.Run(s.Name+" (by code)", func(t *testing.T) { s.Check(t, pipelinetest.Options{Code: true}) })
	}
	t.Logf("%d recorded runs", runs)
}
