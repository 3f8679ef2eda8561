package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/catalogue"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/server/router"
)

func (d *Door) pipelineRoutes() []router.Route {
	const tag, list, one = "pipelines", "/api/v1/pipelines", "/api/v1/pipelines/{name}"
	return []router.Route{
		{Method: http.MethodGet, Path: list, Handler: d.listPipelines, Action: policy.PipelineRead, Tag: tag, Summary: "List the tenant's pipelines", Answers: PipelineList{}},
		{Method: http.MethodPut, Path: one, Handler: d.deploy, Action: policy.PipelineDeploy, Tag: tag, Summary: "Deploy a pipeline file",
			Accepts: body(DeployBody{}), Answers: Pipeline{}},
		{Method: http.MethodGet, Path: one, Handler: d.getPipeline, Action: policy.PipelineRead, Tag: tag, Summary: "Describe a pipeline", Answers: Pipeline{}},
		{Method: http.MethodDelete, Path: one, Handler: d.undeploy, Action: policy.PipelineUndeploy, Tag: tag, Summary: "Undeploy a pipeline"},
		{Method: http.MethodPost, Path: one + "/runs", Handler: d.run, Action: policy.PipelineRun, Tag: tag, Summary: "Run a pipeline",
			Accepts: append(body(RunBody{}), router.Body{ContentType: "multipart/form-data", Example: map[string]any{}}), Answers: RunAnswer{},
			Stream: true, MaxBody: d.maxUpload()},
	}
}

// DeployBody is the body of a deploy.
type DeployBody struct {
	Source      string `json:"source"` // Haystack YAML
	Description string `json:"description,omitempty"`
	Overwrite   bool   `json:"overwrite,omitempty"`
}

// PipelineList lists deployments.
type PipelineList struct {
	Pipelines []Deployment `json:"pipelines"`
}

// Deployment is one version of a pipeline.
type Deployment struct {
	Name        string    `json:"name"`
	Version     int64     `json:"version"`
	Digest      string    `json:"digest"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by"`
}

// Pipeline is a deployment with what a caller needs to run it.
type Pipeline struct {
	Deployment
	Source     string   `json:"source"`
	Components []Node   `json:"components"`
	Inputs     []Socket `json:"inputs"`  // declared inputs, else the open sockets
	Outputs    []Socket `json:"outputs"` // declared outputs, else the open ones
	Secrets    []Named  `json:"secrets"`
	Streams    []string `json:"streams"`
	Warnings   []string `json:"warnings"`
}

// Node is a component of a pipeline.
type Node struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Socket is an input or output.
type Socket struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Mandatory bool     `json:"mandatory,omitempty"`
	Sockets   []string `json:"sockets,omitempty"`
}

// Named is a secret that a pipeline names.
type Named struct {
	Component string   `json:"component"`
	Param     string   `json:"param"`
	Names     []string `json:"names"`
	Strict    bool     `json:"strict"`
}

func deployment(d *catalogue.Deployment) Deployment {
	return Deployment{Name: d.Name, Version: d.Version, Digest: d.Digest, Description: d.Description, CreatedAt: d.CreatedAt, CreatedBy: d.CreatedBy}
}

func (d *Door) listPipelines(ctx context.Context, _ *router.Request) (any, error) {
	list, err := d.Host.Pipelines(ctx)
	if err != nil {
		return nil, err
	}
	out := PipelineList{Pipelines: make([]Deployment, len(list))}
	for i, p := range list {
		out.Pipelines[i] = deployment(p)
	}
	return out, nil
}

func (d *Door) deploy(ctx context.Context, r *router.Request) (any, error) {
	var b DeployBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if b.Source == "" {
		return nil, fault.New(fault.Invalid, "the source is missing").At(fault.Where{Field: "source"})
	}
	out, err := d.Host.Deploy(ctx, host.DeployRequest{Name: r.PathValue("name"), Source: b.Source, Description: b.Description, Overwrite: b.Overwrite})
	if err != nil {
		return nil, err
	}
	return describe(out), nil
}

func (d *Door) getPipeline(ctx context.Context, r *router.Request) (any, error) {
	p, err := d.Host.Pipeline(ctx, r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return describe(p), nil
}

func (d *Door) undeploy(ctx context.Context, r *router.Request) (any, error) {
	return nil, d.Host.Undeploy(ctx, r.PathValue("name"))
}

func describe(e *host.Deployed) Pipeline {
	p := Pipeline{Deployment: deployment(e.Deployment), Source: e.Source, Components: []Node{}, Inputs: inputsOf(e.Plan), Outputs: outputsOf(e.Plan),
		Secrets: []Named{}, Streams: append([]string{}, e.Plan.Streams()...), Warnings: append([]string{}, e.Plan.Warnings()...)}
	for _, c := range e.Plan.Components() {
		p.Components = append(p.Components, Node{Name: c.Name, Type: c.Type})
	}
	for _, s := range e.Plan.Secrets() {
		p.Secrets = append(p.Secrets, Named{Component: s.Component, Param: s.Param, Names: s.Secret.EnvVars, Strict: s.Secret.Strict})
	}
	return p
}

func inputsOf(p *pipeline.Plan) []Socket {
	out := []Socket{}
	for _, in := range p.Declared().Inputs {
		s := Socket{Name: in.Name, Mandatory: in.Mandatory}
		for i, t := range in.Targets {
			s.Sockets = append(s.Sockets, t.String())
			if i == 0 {
				s.Type = in.Types[i].String()
			}
		}
		out = append(out, s)
	}
	if len(out) > 0 {
		return out
	}
	for _, in := range p.Inputs() {
		out = append(out, Socket{Name: in.Component + "." + in.Socket, Type: in.Type.String(), Mandatory: in.Mandatory})
	}
	return out
}

func outputsOf(p *pipeline.Plan) []Socket {
	out := []Socket{}
	for _, o := range p.Declared().Outputs {
		out = append(out, Socket{Name: o.Name, Type: o.Type.String(), Sockets: []string{o.Source.String()}})
	}
	if len(out) > 0 {
		return out
	}
	for _, o := range p.Outputs() {
		out = append(out, Socket{Name: o.Component + "." + o.Socket, Type: o.Type.String()})
	}
	return out
}

// RunAnswer is the answer of a run.
type RunAnswer struct {
	RunID     string         `json:"run_id"` // the id of the run's first audit entry
	RequestID string         `json:"request_id"`
	Pipeline  string         `json:"pipeline"`
	Version   int64          `json:"version"`
	Outputs   map[string]any `json:"outputs"` // {component: {socket: value}}
	Declared  map[string]any `json:"declared,omitempty"`
	Warnings  []string       `json:"warnings"`
	Millis    int64          `json:"ms"`
	Usage     *Usage         `json:"usage,omitempty"` // of models; absent when none was called
}

// Account is what was paid for.
type Account struct {
	Calls     int64   `json:"calls"`
	TokensIn  int64   `json:"tokens_in"`
	TokensOut int64   `json:"tokens_out"`
	Refused   int64   `json:"refused,omitempty"`   // calls that the budget did not allow
	Estimated int64   `json:"estimated,omitempty"` // calls whose tokens the provider did not tell
	Overrun   int64   `json:"overrun,omitempty"`   // tokens beyond what a call had set aside
	Unpriced  int64   `json:"unpriced,omitempty"`  // calls whose model has no price
	Cost      float64 `json:"cost,omitempty"`      // in the currency of the server's price table
}

// Usage is a run's account, by component as well.
type Usage struct {
	Account
	Components map[string]Account `json:"components"`
}

// encode writes a RunAnswer with the outputs in the order the pipeline gave them.
func encode(out *host.RunResult, requestID string) []byte {
	d := value.NewDict("run_id", value.Str(out.RunID), "request_id", value.Str(requestID), "pipeline", value.Str(out.Pipeline),
		"version", value.Int(out.Version), "outputs", out.Outputs)
	if out.Declared != nil {
		d.Set("declared", out.Declared)
	}
	warnings := value.NewList()
	for _, w := range out.Warnings {
		warnings.Items = append(warnings.Items, value.Str(w))
	}
	d.Set("warnings", warnings)
	d.Set("ms", value.Int(out.Took.Milliseconds()))
	if out.Usage != nil {
		d.Set("usage", usage(out.Usage))
	}
	return value.AppendJSON(nil, d)
}

// usage is a ledger as the API shows it: the sum, and the components that paid for something.
func usage(l *pipeline.Ledger) *value.Dict {
	by := &value.Dict{}
	for _, name := range slices.Sorted(maps.Keys(l.Components)) {
		if a := l.Components[name]; a.Calls > 0 || a.Refused > 0 {
			by.Set(name, account(a))
		}
	}
	d := account(l.Total)
	d.Set("components", by)
	return d
}

func account(a pipeline.Account) *value.Dict {
	d := value.NewDict("calls", value.Int(a.Calls), "tokens_in", value.Int(a.TokensIn), "tokens_out", value.Int(a.TokensOut))
	for _, more := range []struct {
		name string
		n    int64
	}{{"refused", a.Refused}, {"estimated", a.Estimated}, {"overrun", a.Overrun}, {"unpriced", a.Unpriced}} {
		if more.n > 0 {
			d.Set(more.name, value.Int(more.n))
		}
	}
	if a.Cost > 0 {
		d.Set("cost", value.Float(float64(a.Cost)/1e9))
	}
	return d
}
