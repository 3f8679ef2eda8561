package traces

import (
	"encoding/json"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// The JSON form of opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids are hexadecimal, 64-bit numbers are strings.
type (
	request struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   attributes   `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	attributes struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []span `json:"spans"`
	}
	scope struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
	}
	span struct {
		TraceID      string     `json:"traceId"`
		SpanID       string     `json:"spanId"`
		ParentSpanID string     `json:"parentSpanId,omitempty"`
		TraceState   string     `json:"traceState,omitempty"`
		Name         string     `json:"name"`
		Kind         int        `json:"kind"`
		Start        string     `json:"startTimeUnixNano"`
		End          string     `json:"endTimeUnixNano"`
		Attributes   []keyValue `json:"attributes,omitempty"`
		Dropped      int        `json:"droppedAttributesCount,omitempty"`
		Events       []event    `json:"events,omitempty"`
		Links        []link     `json:"links,omitempty"`
		Status       status     `json:"status"`
	}
	event struct {
		Time       string     `json:"timeUnixNano"`
		Name       string     `json:"name"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	link struct {
		TraceID    string     `json:"traceId"`
		SpanID     string     `json:"spanId"`
		Attributes []keyValue `json:"attributes,omitempty"`
	}
	status struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code,omitempty"`
	}
	keyValue struct {
		Key   string   `json:"key"`
		Value anyValue `json:"value"`
	}
	anyValue struct {
		String *string     `json:"stringValue,omitempty"`
		Bool   *bool       `json:"boolValue,omitempty"`
		Int    *string     `json:"intValue,omitempty"`
		Double *float64    `json:"doubleValue,omitempty"`
		Array  *arrayValue `json:"arrayValue,omitempty"`
	}
	arrayValue struct {
		Values []anyValue `json:"values"`
	}
)

// encode writes spans of one resource, by the scope that opened them.
func encode(spans []sdktrace.ReadOnlySpan) ([]byte, error) {
	if len(spans) == 0 {
		return json.Marshal(request{ResourceSpans: []resourceSpans{}})
	}
	out := resourceSpans{Resource: attributes{pairs(spans[0].Resource().Attributes())}}
	at := map[string]int{}
	for _, s := range spans {
		sc := s.InstrumentationScope()
		k, known := at[sc.Name]
		if !known {
			k = len(out.ScopeSpans)
			at[sc.Name] = k
			out.ScopeSpans = append(out.ScopeSpans, scopeSpans{Scope: scope{sc.Name, sc.Version}})
		}
		out.ScopeSpans[k].Spans = append(out.ScopeSpans[k].Spans, spanOf(s))
	}
	return json.Marshal(request{[]resourceSpans{out}})
}

func spanOf(s sdktrace.ReadOnlySpan) span {
	ctx := s.SpanContext()
	out := span{TraceID: ctx.TraceID().String(), SpanID: ctx.SpanID().String(), TraceState: ctx.TraceState().String(), Name: s.Name(),
		Kind: kindOf(s.SpanKind()), Start: nano(s.StartTime()), End: nano(s.EndTime()), Attributes: pairs(s.Attributes()), Dropped: s.DroppedAttributes(),
		Status: statusOf(s.Status())}
	if p := s.Parent(); p.SpanID().IsValid() {
		out.ParentSpanID = p.SpanID().String()
	}
	for _, e := range s.Events() {
		out.Events = append(out.Events, event{nano(e.Time), e.Name, pairs(e.Attributes)})
	}
	for _, l := range s.Links() {
		out.Links = append(out.Links, link{l.SpanContext.TraceID().String(), l.SpanContext.SpanID().String(), pairs(l.Attributes)})
	}
	return out
}

func nano(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// kindOf is the protocol's number, which counts as the API does; a kind that nobody named is an internal span.
func kindOf(k trace.SpanKind) int { return int(trace.ValidateSpanKind(k)) }

// statusOf turns the API's numbers (1 is an error) into the protocol's (2 is an error).
func statusOf(s sdktrace.Status) status {
	switch s.Code {
	case codes.Ok:
		return status{Code: 1}
	case codes.Error:
		return status{Message: s.Description, Code: 2}
	}
	return status{}
}

func pairs(list []attribute.KeyValue) []keyValue {
	out := make([]keyValue, len(list))
	for i, kv := range list {
		out[i] = keyValue{string(kv.Key), valueOf(kv.Value)}
	}
	return out
}

func valueOf(v attribute.Value) anyValue {
	switch v.Type() {
	case attribute.BOOL:
		return boolean(v.AsBool())
	case attribute.INT64:
		return integer(v.AsInt64())
	case attribute.FLOAT64:
		return double(v.AsFloat64())
	case attribute.BOOLSLICE:
		return array(v.AsBoolSlice(), boolean)
	case attribute.INT64SLICE:
		return array(v.AsInt64Slice(), integer)
	case attribute.FLOAT64SLICE:
		return array(v.AsFloat64Slice(), double)
	case attribute.STRINGSLICE:
		return array(v.AsStringSlice(), text)
	}
	return text(v.String())
}

func text(s string) anyValue  { return anyValue{String: &s} }
func boolean(b bool) anyValue { return anyValue{Bool: &b} }
func integer(n int64) anyValue {
	s := strconv.FormatInt(n, 10)
	return anyValue{Int: &s}
}

// double writes what JSON has no number for as text.
func double(f float64) anyValue {
	if f != f || f-f != 0 {
		return text(strconv.FormatFloat(f, 'g', -1, 64))
	}
	return anyValue{Double: &f}
}

func array[T any](list []T, one func(T) anyValue) anyValue {
	out := arrayValue{Values: make([]anyValue, len(list))}
	for i, v := range list {
		out.Values[i] = one(v)
	}
	return anyValue{Array: &out}
}
