package traces

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
)

// ExporterOptions configures [NewExporter]. Endpoint and Client are needed.
type ExporterOptions struct {
	Endpoint    string // of the collector, such as https://otel.example:4318; /v1/traces is added unless it ends so
	Client      *egress.Client
	Credentials []egress.Credential           // sent with each request, for the endpoint's origin alone
	Timeout     time.Duration                 // of one request; default 10 s
	Rejected    func(n int64, message string) // is told of spans the collector took and refused: they are not sent again
}

// Exporter sends spans over OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp) in JSON.
type Exporter struct{ o ExporterOptions }

// NewExporter returns an exporter.
func NewExporter(o ExporterOptions) *Exporter {
	if !strings.HasSuffix(o.Endpoint, "/v1/traces") {
		o.Endpoint = strings.TrimRight(o.Endpoint, "/") + "/v1/traces"
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	return &Exporter{o}
}

// maxAnswer is how much of an answer is read.
const maxAnswer = 64 << 10

// ExportSpans implements sdktrace.SpanExporter. It fails with Unavailable when the same spans may be sent again, and with
// Failed when the collector will not have them.
func (e *Exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	body, err := encode(spans)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "spans could not be encoded")
	}
	ctx, cancel := context.WithTimeout(ctx, e.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.o.Endpoint, bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the address of the trace collector is not a URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "hayward")
	resp, err := e.o.Client.DoOnce(req, e.o.Credentials...)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests || code >= 502 && code <= 504: // the specification's list of those that may be tried again
		return fault.New(fault.Unavailable, "the trace collector answered %d", code)
	case code/100 != 2:
		return fault.New(fault.Failed, "the trace collector answered %d", code)
	case err != nil:
		return fault.Wrap(fault.Failed, err, "the trace collector's answer broke off")
	}
	e.partial(answer)
	return nil
}

// partial tells of spans that were refused for good.
func (e *Exporter) partial(answer []byte) {
	var got struct {
		PartialSuccess struct {
			Rejected json.RawMessage `json:"rejectedSpans"` // a number, or a string of one
			Message  string          `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	if json.Unmarshal(answer, &got) != nil || e.o.Rejected == nil {
		return
	}
	if n, err := strconv.ParseInt(strings.Trim(string(got.PartialSuccess.Rejected), `"`), 10, 64); err == nil && n > 0 {
		e.o.Rejected(n, got.PartialSuccess.Message)
	}
}

// Shutdown implements sdktrace.SpanExporter.
func (e *Exporter) Shutdown(context.Context) error { return nil }
