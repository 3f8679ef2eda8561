// Package traces sends the spans of runs to an OpenTelemetry collector: [Exporter] speaks OTLP/HTTP in its JSON form, and
// [Queue] stands between it and the runs, so that a collector that is slow or away costs spans and never time.
//
// It knows no pipeline and no tenant: what a span holds is decided where it is opened (package pipeline, ADR 0020), and who
// may be sent to by the egress client it is given. The SDK's own exporter brings its own HTTP client and reads the
// environment; neither is used. Next door is vault/audit/sink, which sends the record in the same protocol.
package traces
