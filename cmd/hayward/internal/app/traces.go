package app

import (
	"context"
	"net"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/traces"
	"github.com/haywardhq/hayward/sealed"
)

// Traces says where the spans of runs go.
type Traces struct {
	Endpoint string       // of an OpenTelemetry collector, OTLP over HTTP; "" traces nothing
	Token    sealed.Value // a bearer token for it; zero sends none
	Content  bool         // inputs and outputs, redacted
	Queue    traces.QueueOptions
}

// flushTime is how long a stopping server waits for the collector.
const flushTime = 5 * time.Second

// openTraces makes what runs open their spans with.
func (a *App) openTraces() (host.Tracing, error) {
	s := a.settings.Traces
	if s.Endpoint == "" {
		return host.Tracing{}, nil
	}
	client, dest, err := clientTo(s.Endpoint)
	if err != nil {
		return host.Tracing{}, err
	}
	o := traces.ExporterOptions{Endpoint: s.Endpoint, Client: client, Rejected: func(n int64, why string) {
		a.log.Warn("the trace collector refused spans", "spans", n, "why", why)
	}}
	if !s.Token.IsZero() {
		o.Credentials = []egress.Credential{egress.Bearer(s.Token.For(dest))}
	}
	lost := a.settings.metrics.registry().Counter("hayward_trace_spans_lost_total")
	s.Queue.Log, s.Queue.Dropped = a.log, func(n int) { lost.Add(float64(n)) }
	a.tracer = sdktrace.NewTracerProvider(
		// All of what the SDK would otherwise read from the environment is said here.
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())),
		sdktrace.WithRawSpanLimits(sdktrace.SpanLimits{AttributeValueLengthLimit: -1, AttributeValueDepthLimit: sdktrace.DefaultAttributeValueDepthLimit,
			AttributeCountLimit: 128, EventCountLimit: 128, LinkCountLimit: 128, AttributePerEventCountLimit: 128, AttributePerLinkCountLimit: 128}),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "hayward"), attribute.String("service.version", a.settings.Version),
			attribute.String("service.instance.id", a.vault.node))),
		sdktrace.WithSpanProcessor(traces.NewQueue(traces.NewExporter(o), s.Queue)))
	return host.Tracing{Tracer: a.tracer.Tracer("hayward"), Content: s.Content}, nil
}

// closeTraces sends what waits.
func (a *App) closeTraces() {
	if a.tracer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	if err := a.tracer.Shutdown(ctx); err != nil {
		a.log.Warn("spans could not be sent before the end", "error", err)
	}
}

// PolicyFor reaches public addresses and those that the operator named in settings, which is permission for the server's own
// requests to them and for nobody else's. An empty address is none.
func PolicyFor(addresses ...string) (egress.Policy, error) {
	var allow []string
	for _, address := range addresses {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" {
			return egress.Policy{}, fault.New(fault.Invalid, "%q is not an address such as https://host:4318", address)
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		allow = append(allow, net.JoinHostPort(u.Hostname(), port))
	}
	return egress.NewPolicy(allow...)
}

func clientTo(address string) (*egress.Client, sealed.Destination, error) {
	policy, err := PolicyFor(address)
	if err != nil {
		return nil, sealed.Destination{}, err
	}
	dest, err := sealed.ParseDestination(address)
	return egress.New(policy, egress.Options{}), dest, err
}
