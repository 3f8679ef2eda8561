package hayhooks

import (
	"context"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/catalogue"
	"github.com/haywardhq/hayward/server/router"
)

// Pipelines is the service behind the door; *host.Host is one.
type Pipelines interface {
	Deploy(ctx context.Context, req host.DeployRequest) (*host.Deployed, error)
	Undeploy(ctx context.Context, name string) error
	Pipelines(ctx context.Context) ([]*catalogue.Deployment, error)
	Pipeline(ctx context.Context, name string) (*host.Deployed, error)
	Run(ctx context.Context, req host.RunRequest) (*host.RunResult, error)
}

// Door opens Hayhooks' routes.
type Door struct {
	Host      Pipelines
	MaxUpload int64 // bytes of a multipart body; default 64 MiB
}

// Routes implements router.Mounter.
func (d *Door) Routes() []router.Route {
	const tag = "hayhooks"
	maxUpload := d.MaxUpload
	if maxUpload <= 0 {
		maxUpload = 64 << 20
	}
	fast := func(r router.Route) router.Route {
		r.Dialect, r.Tag, r.Document = router.FastAPI, tag, true
		return r
	}
	return []router.Route{
		fast(router.Route{Method: http.MethodGet, Path: "/status", Handler: d.status, Action: policy.PipelineRead,
			Summary: "List the tenant's pipelines", Answers: Status{}}),
		fast(router.Route{Method: http.MethodGet, Path: "/status/{name}", Handler: d.statusOne, Action: policy.PipelineRead,
			Summary: "Say whether a pipeline is deployed", Answers: StatusOne{}}),
		fast(router.Route{Method: http.MethodPost, Path: "/deploy-yaml", Handler: d.deploy, Action: policy.PipelineDeploy,
			Summary: "Deploy a pipeline file", Accepts: []router.Body{{ContentType: "application/json", Example: DeployBody{}}}, Answers: Deployed{}}),
		fast(router.Route{Method: http.MethodPost, Path: "/deploy_files", Handler: d.deployFiles, Action: policy.PipelineDeploy,
			Summary: "Refused: Python code is not loaded", Accepts: []router.Body{{ContentType: "application/json", Example: map[string]any{}}}, Answers: Deployed{}}),
		fast(router.Route{Method: http.MethodPost, Path: "/undeploy/{name}", Handler: d.undeploy, Action: policy.PipelineUndeploy,
			Summary: "Undeploy a pipeline", Answers: Undeployed{}}),
		fast(router.Route{Method: http.MethodPost, Path: "/{name}/run", Last: true, Handler: d.run, Action: policy.PipelineRun,
			Summary: "Run a pipeline through its declared inputs", MaxBody: maxUpload,
			Accepts: []router.Body{{ContentType: "application/json", Example: map[string]any{}}, {ContentType: "multipart/form-data", Example: map[string]any{}}},
			Answers: Result{}}),
	}
}

// DeployBody is the body of POST /deploy-yaml.
type DeployBody struct {
	Name        *string `json:"name"`
	SourceCode  *string `json:"source_code"`
	Overwrite   bool    `json:"overwrite,omitempty"`
	Description *string `json:"description,omitempty"`
	SkipMCP     *bool   `json:"skip_mcp,omitempty"`  // taken for compatibility: there is no MCP door yet
	SaveFile    *bool   `json:"save_file,omitempty"` // taken for compatibility: a deployment is always kept
}

// Deployed answers a deploy.
type Deployed struct {
	Name     string `json:"name"`
	Success  bool   `json:"success"`
	Endpoint string `json:"endpoint"`
}

// Undeployed answers an undeploy.
type Undeployed struct {
	Success bool   `json:"success"`
	Name    string `json:"name"`
}

// Result answers a run: Haystack's own output under "result".
type Result struct {
	Result map[string]map[string]any `json:"result"`
}

func (d *Door) deploy(ctx context.Context, r *router.Request) (any, error) {
	var b DeployBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	var missing []router.FieldError
	for _, f := range []struct {
		name string
		set  bool
	}{{"name", b.Name != nil}, {"source_code", b.SourceCode != nil}} {
		if !f.set {
			missing = append(missing, router.FieldError{Type: "missing", Loc: []any{"body", f.name}, Msg: "Field required"})
		}
	}
	if len(missing) > 0 {
		return nil, router.Fields(missing...)
	}
	if b.SaveFile != nil && !*b.SaveFile {
		return nil, fault.New(fault.Unsupported, "save_file: false is not supported: a deployment is always kept").At(fault.Where{Field: "save_file"})
	}
	req := host.DeployRequest{Name: *b.Name, Source: *b.SourceCode, Overwrite: b.Overwrite}
	if b.Description != nil {
		req.Description = *b.Description
	}
	out, err := d.Host.Deploy(ctx, req)
	if err != nil {
		return nil, deployError(err, req.Name)
	}
	return Deployed{Name: out.Name, Success: true, Endpoint: "/" + out.Name + "/run"}, nil
}

// deployError puts a name that cannot be one into FastAPI's words.
func deployError(err error, name string) error {
	f := fault.From(err)
	if f.Code != host.CodePipelineName {
		return err
	}
	return router.Fields(router.FieldError{Type: "value_error", Loc: []any{"body", "name"}, Msg: "Value error, " + f.Message + " (" + f.Hint + ")",
		Input: name[:min(len(name), 256)], Ctx: map[string]any{"error": map[string]any{}}})
}

func (d *Door) deployFiles(context.Context, *router.Request) (any, error) {
	return nil, fault.New(fault.Unsupported, "Python pipeline wrappers cannot be deployed: no code is loaded from a request").
		WithHint("deploy the pipeline as YAML with inputs and outputs through POST /deploy-yaml")
}

func (d *Door) undeploy(ctx context.Context, r *router.Request) (any, error) {
	name := r.PathValue("name")
	if err := d.Host.Undeploy(ctx, name); err != nil {
		return nil, err
	}
	return Undeployed{Success: true, Name: name}, nil
}
