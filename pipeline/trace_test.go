package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/components"
	"github.com/haywardhq/hayward/pipeline/value"
)

const traced = `components:
  first:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters: {template: "about {{ topic }}"}
  inner:
    type: haystack.core.super_component.super_component.SuperComponent
    init_parameters:
      pipeline:
        components:
          deep:
            type: haystack.components.builders.prompt_builder.PromptBuilder
            init_parameters: {template: "{{ text }}!"}
        connections: []
      input_mapping: {text: [deep.text]}
      output_mapping: {deep.prompt: said}
connections:
  - {sender: first.prompt, receiver: inner.text}
`

func spansOf(t *testing.T, src string, inputs *value.Dict, tr pipeline.Trace, opts ...pipeline.Option) (tracetest.SpanStubs, error) {
	t.Helper()
	plan, err := pipeline.Load([]byte(src), "traced.yml", components.Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	tr.Tracer = provider.Tracer("test")
	_, runErr := plan.Run(t.Context(), inputs, append(opts, pipeline.WithRunContext(pipeline.RunContext{RequestID: "req-7", Trace: &tr}))...)
	return kept.GetSpans(), runErr
}

func tagsOf(s tracetest.SpanStub) map[string]string {
	out := map[string]string{}
	for _, kv := range s.Attributes {
		out[string(kv.Key)] = kv.Value.String()
	}
	return out
}

func topic(s string) *value.Dict {
	d := &value.Dict{}
	d.Set("topic", value.Str(s))
	return d
}

func TestSpansAreHaystacks(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		spans, err := spansOf(t, traced, topic("hay"), pipeline.Trace{Content: true}, pipeline.WithConcurrency(concurrency))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		byID := map[string]tracetest.SpanStub{}
		for _, s := range spans {
			byID[s.SpanContext.SpanID().String()] = s
		}
		for _, s := range spans {
			parent := byID[s.Parent.SpanID().String()]
			got = append(got, fmt.Sprintf("%s(%s) in %s(%s)", s.Name, tagsOf(s)["haystack.component.name"], parent.Name, tagsOf(parent)["haystack.component.name"]))
			if tagsOf(s)["haystack.request_id"] != "req-7" {
				t.Errorf("%s has no request id", s.Name)
			}
		}
		slices.Sort(got)
		want := []string{
			"haystack.component.run(deep) in haystack.pipeline.run()",
			"haystack.component.run(first) in haystack.pipeline.run()",
			"haystack.component.run(inner) in haystack.pipeline.run()",
			"haystack.pipeline.run() in ()",
			"haystack.pipeline.run() in haystack.component.run(inner)",
		}
		if !slices.Equal(got, want) {
			t.Errorf("concurrency %d:\n%s", concurrency, strings.Join(got, "\n"))
		}
	}
}

func TestTagsOfASpan(t *testing.T) {
	spans, err := spansOf(t, traced, topic("hay"), pipeline.Trace{Content: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spans {
		tags := tagsOf(s)
		switch {
		case tags["haystack.component.name"] == "first":
			for key, want := range map[string]string{
				"haystack.component.type":                 "PromptBuilder",
				"haystack.component.fully_qualified_type": "haystack.components.builders.prompt_builder.PromptBuilder",
				"haystack.component.visits":               "1",
				"haystack.component.output":               `{"prompt": "about hay"}`,
				"haystack.component.output_spec":          `{"prompt": {"type": "str", "receivers": ["inner"]}}`,
			} {
				if tags[key] != want {
					t.Errorf("%s is %s", key, tags[key])
				}
			}
			var types map[string]string
			if err := json.Unmarshal([]byte(tags["haystack.component.input_types"]), &types); err != nil || types["topic"] != "str" || types["template"] != "NoneType" {
				t.Errorf("%v %v", types, err)
			}
		case s.Name == "haystack.pipeline.run" && !s.Parent.IsValid():
			if tags["haystack.pipeline.input_data"] != `{"topic": "hay"}` || tags["haystack.pipeline.max_runs_per_component"] != "100" ||
				tags["haystack.pipeline.execution_mode"] != "sync" || !strings.Contains(tags["haystack.pipeline.output_data"], "about hay!") {
				t.Errorf("%v", tags)
			}
		}
	}
}

const failing = `components:
  parse:
    type: haystack.components.converters.output_adapter.OutputAdapter
    init_parameters: {template: "{{ topic.nowhere.at_all }}", output_type: str}
connections: []
`

// TestContentIsOffByDefault: what a person asked is in no span, also not in an error's text.
func TestContentIsOffByDefault(t *testing.T) {
	for _, src := range []string{traced, failing} {
		spans, _ := spansOf(t, src, topic("hay-7f3a"), pipeline.Trace{})
		if len(spans) < 2 {
			t.Fatalf("%d spans", len(spans))
		}
		for _, s := range spans {
			if text := fmt.Sprint(s.Attributes, s.Status, s.Events); strings.Contains(text, "hay-7f3a") || strings.Contains(text, "nowhere") {
				t.Errorf("%s tells content: %s", s.Name, text)
			}
		}
	}
}

func TestAFailureShows(t *testing.T) {
	spans, err := spansOf(t, failing, topic("hay"), pipeline.Trace{Content: true, Redact: func(s string) string { return strings.ReplaceAll(s, "hay", "[secret]") }})
	if err == nil {
		t.Fatal("it did not fail")
	}
	for _, s := range spans {
		if s.Status.Description == "" || tagsOf(s)["error.type"] == "" {
			t.Errorf("%s: %v", s.Name, s.Status)
		}
		for _, kv := range s.Attributes {
			if strings.Contains(kv.Value.String(), "hay\"") {
				t.Errorf("%s is not redacted: %s", kv.Key, kv.Value.String())
			}
		}
	}
}

func TestLongContentIsCut(t *testing.T) {
	spans, err := spansOf(t, traced, topic(strings.Repeat("ä", 70_000)), pipeline.Trace{Content: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range spans {
		for _, kv := range s.Attributes {
			if kv.Value.Type() == attribute.STRING && len(kv.Value.AsString()) > 64<<10+4 {
				t.Errorf("%s has %d bytes", kv.Key, len(kv.Value.AsString()))
			}
		}
	}
}

// TestATraceGoesOn: the run's span is a child of the span in the caller's context.
func TestATraceGoesOn(t *testing.T) {
	kept := tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept)).Tracer("test")
	ctx, outer := tracer.Start(context.Background(), "request")
	plan, err := pipeline.Load([]byte(traced), "traced.yml", components.Registry(), pipeline.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Run(ctx, topic("hay"), pipeline.WithRunContext(pipeline.RunContext{Trace: &pipeline.Trace{Tracer: tracer}})); err != nil {
		t.Fatal(err)
	}
	outer.End()
	for _, s := range kept.GetSpans() {
		if s.SpanContext.TraceID() != outer.SpanContext().TraceID() {
			t.Errorf("%s is in another trace", s.Name)
		}
	}
}
