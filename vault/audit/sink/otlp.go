package sink

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
)

// OTLPOptions configures [NewOTLP].
type OTLPOptions struct {
	Endpoint    string // of the collector, such as https://otel.example:4318; /v1/logs is added unless it ends so
	Client      *egress.Client
	Service     string // service.name; default "hayward"
	Credentials []egress.Credential
	Rejected    func(n int64, why string) // is told of records the collector took and refused: they are not sent again
}

// OTLP sends entries as OpenTelemetry log records over OTLP/HTTP in its JSON form
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp): one record an entry, with its fields as attributes.
type OTLP struct{ o OTLPOptions }

// NewOTLP returns an OpenTelemetry sink.
func NewOTLP(o OTLPOptions) *OTLP {
	if o.Service == "" {
		o.Service = "hayward"
	}
	if !strings.HasSuffix(o.Endpoint, "/v1/logs") {
		o.Endpoint = strings.TrimRight(o.Endpoint, "/") + "/v1/logs"
	}
	return &OTLP{o}
}

type (
	otlpRequest struct {
		ResourceLogs []otlpResource `json:"resourceLogs"`
	}
	otlpResource struct {
		Resource  otlpAttributes `json:"resource"`
		ScopeLogs []otlpScope    `json:"scopeLogs"`
	}
	otlpAttributes struct {
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpScope struct {
		Scope      map[string]string `json:"scope"`
		LogRecords []otlpRecord      `json:"logRecords"`
	}
	otlpRecord struct {
		Time       string          `json:"timeUnixNano"`
		Observed   string          `json:"observedTimeUnixNano"`
		Severity   int             `json:"severityNumber"`
		Text       string          `json:"severityText"`
		EventName  string          `json:"eventName"`
		Body       otlpValue       `json:"body"`
		Attributes []otlpAttribute `json:"attributes"`
	}
	otlpAttribute struct {
		Key   string    `json:"key"`
		Value otlpValue `json:"value"`
	}
	otlpValue struct {
		String *string `json:"stringValue,omitempty"`
		Int    *string `json:"intValue,omitempty"` // 64-bit numbers are strings in protobuf's JSON
	}
)

func text(s string) otlpValue { return otlpValue{String: &s} }

func number(n int64) otlpValue {
	s := strconv.FormatInt(n, 10)
	return otlpValue{Int: &s}
}

// Send implements [Target].
func (s *OTLP) Send(ctx context.Context, b Batch) error {
	var records []otlpRecord
	for _, line := range b.Entries {
		records = append(records, entryRecord(line))
	}
	if b.Checkpoint != "" {
		records = append(records, record(time.Now(), "hayward.audit.checkpoint", 9, "INFO", b.Checkpoint))
	}
	body, err := json.Marshal(otlpRequest{[]otlpResource{{
		Resource:  otlpAttributes{[]otlpAttribute{{"service.name", text(s.o.Service)}}},
		ScopeLogs: []otlpScope{{Scope: map[string]string{"name": "hayward/audit"}, LogRecords: records}},
	}}})
	if err != nil {
		return fault.Wrap(fault.Internal, err, "audit entries could not be encoded")
	}
	answer, err := post(ctx, s.o.Client, s.o.Endpoint, body, http.Header{}, s.o.Credentials)
	if err != nil {
		return err
	}
	s.partial(answer)
	return nil
}

// partial tells of records that were refused for good: the specification forbids sending them again.
func (s *OTLP) partial(answer []byte) {
	var got struct {
		PartialSuccess struct {
			Rejected json.Number `json:"rejectedLogRecords"`
			Message  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	dec := json.NewDecoder(strings.NewReader(string(answer)))
	if dec.Decode(&got) != nil || s.o.Rejected == nil {
		return
	}
	n, err := strconv.ParseInt(strings.Trim(got.PartialSuccess.Rejected.String(), `"`), 10, 64)
	if err == nil && n > 0 {
		s.o.Rejected(n, audit.Display(got.PartialSuccess.Message))
	}
}

func record(at time.Time, event string, severity int, word, body string) otlpRecord {
	nano := strconv.FormatInt(at.UnixNano(), 10)
	return otlpRecord{Time: nano, Observed: nano, Severity: severity, Text: word, EventName: event, Body: text(body)}
}

// entryRecord is one entry. Severities are OpenTelemetry's: 9 is INFO, 13 WARN, 17 ERROR.
func entryRecord(line audit.Line) otlpRecord {
	severity, word := 9, "INFO"
	switch line.Outcome {
	case audit.Denied, audit.NotFound:
		severity, word = 13, "WARN"
	case audit.Error:
		severity, word = 17, "ERROR"
	}
	r := record(line.CreatedAt, "hayward.audit", severity, word, sentence(line))
	for _, f := range fields(line) {
		r.Attributes = append(r.Attributes, otlpAttribute{"hayward.audit." + f.name, text(f.value)})
	}
	r.Attributes = append(r.Attributes, otlpAttribute{"hayward.audit.epoch", number(line.Epoch)}, otlpAttribute{"hayward.audit.seq", number(line.Seq)})
	for _, d := range line.Details {
		r.Attributes = append(r.Attributes, otlpAttribute{"hayward.audit.detail." + d.Key, text(d.Value)})
	}
	return r
}

// Close implements [Target].
func (s *OTLP) Close() error { return nil }
