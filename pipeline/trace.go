package pipeline

import (
	"context"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Trace has a run open OpenTelemetry spans with Haystack's names and tags: haystack.pipeline.run, and
// haystack.component.run for each component run (haystack/tracing, docs "Tracing"). A pipeline inside a component continues
// the trace of the run around it. Every span carries haystack.request_id, if there is one.
//
// Haystack always sends a run's inputs along, as haystack.pipeline.input_data; here that is content like any other.
type Trace struct {
	// Tracer opens the spans.
	Tracer trace.Tracer
	// Content adds inputs and outputs of the run and of its components, as JSON text of at most 64 KiB each. Off by default:
	// whoever may read traces may then read what people asked.
	Content bool
	// Redact is given each text of content, and each error text, before it is written down. Nil changes nothing.
	Redact func(string) string
}

// maxTraceText bounds one tag.
const maxTraceText = 64 << 10

type traceKey struct{}

// traced says who traces this run: its own run context, or the run around it.
func (r *run) traced() *Trace {
	t := r.c.context.Trace
	if t == nil && r.c.nested {
		t, _ = r.ctx.Value(traceKey{}).(*Trace)
	}
	if t == nil || t.Tracer == nil {
		return nil
	}
	return t
}

// span opens the span of the run that t traces, if anybody does. end is called with the run's error.
func (r *run) span(t *Trace, inputs *value.Dict) (end func(error)) {
	if t == nil {
		return func(error) {}
	}
	mode := "sync"
	if r.c.concurrency > 1 {
		mode = "async"
	}
	tags := []attribute.KeyValue{
		attribute.Int("haystack.pipeline.max_runs_per_component", int(r.g.maxRuns)),
		attribute.String("haystack.pipeline.execution_mode", mode),
	}
	if t.Content {
		tags = append(tags, t.content("haystack.pipeline.input_data", inputsOf(inputs)))
	}
	ctx, span := t.Tracer.Start(r.ctx, "haystack.pipeline.run", trace.WithAttributes(r.named(tags)...))
	r.ctx, r.trace = context.WithValue(ctx, traceKey{}, t), t
	return func(err error) {
		if t.Content && err == nil {
			span.SetAttributes(t.content("haystack.pipeline.output_data", r.result.Outputs))
		}
		t.finish(span, err)
	}
}

// spanned runs a component inside a span of its own.
func (r *run) spanned(ctx context.Context, nd *node, env *component.Env, in component.In) (component.Out, error) {
	t := r.trace
	if t == nil {
		return guarded(ctx, nd, env, in)
	}
	tags := append(r.g.spanTags(nd), attribute.Int("haystack.component.visits", env.Visit()), attribute.String("haystack.component.input_types", inputTypes(nd, in)))
	if t.Content {
		tags = append(tags, t.content("haystack.component.input", slotsDict(in, func(k int) string { return nd.spec.Inputs[k].Name })))
	}
	ctx, span := t.Tracer.Start(ctx, "haystack.component.run", trace.WithAttributes(r.named(tags)...))
	out, err := guarded(ctx, nd, env, in)
	if t.Content && err == nil && len(out.Values) == len(nd.spec.Outputs) {
		span.SetAttributes(t.content("haystack.component.output", slotsDict(out.Values, func(k int) string { return nd.spec.Outputs[k].Name })))
	}
	t.finish(span, err)
	return out, err
}

func (r *run) named(tags []attribute.KeyValue) []attribute.KeyValue {
	if id := r.c.context.RequestID; id != "" {
		tags = append(tags, attribute.String("haystack.request_id", id))
	}
	return tags
}

// finish closes a span. Without Content an error is its kind and class: its text may quote what a person asked.
func (t *Trace) finish(span trace.Span, err error) {
	if err != nil {
		f := fault.From(err)
		span.SetAttributes(attribute.String("error.type", strings.TrimSuffix(f.Kind.String()+"/"+f.Code, "/")))
		text := f.Kind.String()
		if t.Content {
			text = t.clean(err.Error())
		}
		span.SetStatus(codes.Error, text)
	}
	span.End()
}

func (t *Trace) content(key string, v value.Value) attribute.KeyValue {
	text, err := value.ToJSON(v, value.JSONOptions{Objects: true, RawUnicode: true, Default: value.DefaultStr})
	if err != nil {
		text = "(" + value.TypeName(v) + ")"
	}
	return attribute.String(key, t.clean(text))
}

// clean redacts before it cuts: half a secret would not be found.
func (t *Trace) clean(text string) string {
	if t.Redact != nil {
		text = t.Redact(text)
	}
	if len(text) <= maxTraceText {
		return text
	}
	cut := maxTraceText
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

func slotsDict(values []value.Value, name func(int) string) *value.Dict {
	d := &value.Dict{}
	for k, v := range values {
		if v != nil {
			d.Set(name(k), v)
		}
	}
	return d
}

func inputTypes(nd *node, in component.In) string {
	d := &value.Dict{}
	for k, v := range in {
		if v != nil {
			d.Set(nd.spec.Inputs[k].Name, value.Str(value.TypeName(v)))
		}
	}
	return asJSON(d)
}

func asJSON(d *value.Dict) string {
	text, err := value.ToJSON(d, value.JSONOptions{RawUnicode: true})
	if err != nil {
		return "{}"
	}
	return text
}

// spanTags are the tags of a component that never change, made when the first traced run of the plan asks for them. The
// capacity is cut, so that every span appends to a copy.
func (g *program) spanTags(nd *node) []attribute.KeyValue {
	g.tagsOnce.Do(func() {
		g.tags = make([][]attribute.KeyValue, len(g.nodes))
		for i := range g.nodes {
			g.tags[i] = g.nodeTags(&g.nodes[i])
		}
	})
	tags := g.tags[g.index[nd.name]]
	return tags[:len(tags):len(tags)]
}

func (g *program) nodeTags(nd *node) []attribute.KeyValue {
	inputs, outputs := &value.Dict{}, &value.Dict{}
	for k, in := range nd.spec.Inputs {
		slot := nd.first + int32(k)
		inputs.Set(in.Name, socketTag(in.Type.String(), "senders", g.sendersOf(slot)))
	}
	for k, out := range nd.spec.Outputs {
		outputs.Set(out.Name, socketTag(out.Type.String(), "receivers", g.receiversOf(nd, int32(k))))
	}
	return []attribute.KeyValue{
		attribute.String("haystack.component.name", nd.name),
		attribute.String("haystack.component.type", nd.class),
		attribute.String("haystack.component.fully_qualified_type", nd.typ),
		attribute.String("haystack.component.input_spec", asJSON(inputs)),
		attribute.String("haystack.component.output_spec", asJSON(outputs)),
	}
}

func socketTag(typ, role string, names *value.List) *value.Dict {
	d := &value.Dict{}
	d.Set("type", value.Str(typ))
	d.Set(role, names)
	return d
}

func (g *program) sendersOf(slot int32) *value.List {
	out := &value.List{}
	for _, i := range g.inserted {
		for _, e := range g.nodes[i].edges {
			if e.slot == slot {
				out.Items = append(out.Items, value.Str(g.nodes[i].name))
			}
		}
	}
	return out
}

func (g *program) receiversOf(nd *node, out int32) *value.List {
	names := &value.List{}
	for _, e := range nd.edges {
		if e.out == out {
			names.Items = append(names.Items, value.Str(g.nodes[g.slots[e.slot].node].name))
		}
	}
	return names
}
