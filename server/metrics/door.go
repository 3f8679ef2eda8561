package metrics

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/server/router"
)

// Metrics is the service behind the door; *host.Metrics is one.
type Metrics interface {
	Write(ctx context.Context, w io.Writer) error
}

// Door opens the route.
type Door struct {
	Metrics Metrics
	// Key, if not nil, knows the credential of a machine that reads the metrics and nothing else, see router.Route.
	Key func(ctx context.Context, bearer string) (router.Identity, bool)
}

// ContentType is that of Prometheus' text format.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Routes implements router.Mounter.
func (d *Door) Routes() []router.Route {
	return []router.Route{{Method: http.MethodGet, Path: "/metrics", Handler: d.read, Key: d.Key, Action: policy.MetricsRead, Tag: "service",
		Summary: "Read what the server counted, in Prometheus' text format", Document: true}}
}

func (d *Door) read(ctx context.Context, _ *router.Request) (any, error) {
	var b bytes.Buffer
	if err := d.Metrics.Write(ctx, &b); err != nil {
		return nil, err
	}
	return &router.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {ContentType}}, Body: b.Bytes()}, nil
}
