package api

import (
	"context"
	"io"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/catalogue"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/sink"
)

// Pipelines is what the door needs of the host; *host.Host is one.
type Pipelines interface {
	Deploy(ctx context.Context, req host.DeployRequest) (*host.Deployed, error)
	Undeploy(ctx context.Context, name string) error
	Pipelines(ctx context.Context) ([]*catalogue.Deployment, error)
	Pipeline(ctx context.Context, name string) (*host.Deployed, error)
	Run(ctx context.Context, req host.RunRequest) (*host.RunResult, error)
	ExplainSecret(ctx context.Context, name, pipeline string) (*host.Explanation, error)
	ForgetSession(ctx context.Context, id string) error
}

// Audit is what the door needs of the record; *audit.Service is one.
type Audit interface {
	List(ctx context.Context, q audit.Query) (audit.Page, error)
	Export(ctx context.Context, w io.Writer, q audit.Query) (int64, error)
	Prove(ctx context.Context, entryID string) (audit.Proof, error)
	Checkpoints(ctx context.Context) ([]audit.Checkpoint, error)
}

// Door opens the native routes.
type Door struct {
	Host      Pipelines
	Secrets   Secrets
	People    People
	Flags     Flags
	Settings  Settings
	Keys      Keys
	Backups   Backups
	Glasses   Glasses
	Rotations Rotations
	Rotators  func() []string // the kinds that policies can name
	Audit     Audit
	// AuditKeys are the public keys that checkpoints are signed with, one a line.
	AuditKeys   string
	AuditStatus func() audit.CheckpointStatus
	AuditSinks  func() []sink.Status
	Verify      func(ctx context.Context) (any, error) // verifies every audit chain; authorised by itself
	Registry    *component.Registry
	Health      func(ctx context.Context) error
	Version     string
	// MaxUpload is the largest body of a run, in bytes; default 64 MiB.
	MaxUpload int64
}

func (d *Door) maxUpload() int64 {
	if d.MaxUpload > 0 {
		return d.MaxUpload
	}
	return 64 << 20
}

const jsonType = "application/json"

func body(example any) []router.Body { return []router.Body{{ContentType: jsonType, Example: example}} }

// Routes implements router.Mounter.
func (d *Door) Routes() []router.Route {
	routes := []router.Route{
		{Method: http.MethodGet, Path: "/healthz", Handler: d.healthz, Open: "a load balancer asks it", Tag: "service", Summary: "Is the process alive", Answers: Health{}},
		{Method: http.MethodGet, Path: "/readyz", Handler: d.readyz, Open: "a load balancer asks it", Tag: "service", Summary: "Can it serve", Answers: Health{}},
		{Method: http.MethodGet, Path: "/api/v1/components", Handler: d.components, Action: policy.PipelineRead, Tag: "components",
			Summary: "List the component types", Answers: Components{}},
	}
	routes = append(routes, d.pipelineRoutes()...)
	routes = append(routes, d.sessionRoutes()...)
	routes = append(routes, d.secretRoutes()...)
	routes = append(routes, d.secretHistoryRoutes(false)...)
	routes = append(routes, d.secretHistoryRoutes(true)...)
	routes = append(routes, d.flagRoutes()...)
	routes = append(routes, d.segmentRoutes()...)
	routes = append(routes, d.configRoutes()...)
	routes = append(routes, d.overrideRoutes()...)
	routes = append(routes, d.rotationRoutes()...)
	routes = append(routes, d.keyRoutes()...)
	routes = append(routes, d.glassRoutes()...)
	routes = append(routes, d.auditRoutes()...)
	routes = append(routes, d.peopleRoutes()...)
	for i := range routes {
		routes[i].Document = true
	}
	return routes
}

// Health answers the probes.
type Health struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

func (d *Door) healthz(context.Context, *router.Request) (any, error) {
	return Health{Status: "ok", Version: d.Version}, nil
}

func (d *Door) readyz(ctx context.Context, _ *router.Request) (any, error) {
	if err := d.Health(ctx); err != nil {
		return nil, err
	}
	return Health{Status: "ready", Version: d.Version}, nil
}
