package host

import (
	"context"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/catalogue"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// DeployRequest is a pipeline file to deploy.
type DeployRequest struct {
	Name        string
	Source      string // Haystack YAML
	Description string
	Overwrite   bool // replace the version that answers now
}

// Deployed is a deployment and its compiled plan.
type Deployed = catalogue.Entry

// CodePipelineName marks a name that cannot be a pipeline's.
const CodePipelineName = "PipelineName"

// namePattern is stricter than Hayhooks: a name is a path segment, a key in a shell and a word in a log.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// CheckName refuses names that cannot be a pipeline's.
func (h *Host) CheckName(name string) error {
	bad := func(why string) error {
		return fault.New(fault.Invalid, "Pipeline name %s", why).WithCode(CodePipelineName).At(fault.Where{Field: "name"}).
			WithHint("use letters, digits, '_', '-' and '.', beginning with a letter, a digit or '_'; at most 100")
	}
	switch {
	case name == "":
		return bad("is empty")
	case !namePattern.MatchString(name):
		return bad("must be a single name without path separators or special characters")
	case h.reserved[name]:
		return bad("'" + name + "' is reserved: the server has a route of that name")
	}
	return nil
}

// Deploy checks a pipeline file and makes it answer under its name. Nothing is stored unless the file compiles, and the
// new version, the switch to it and the audit entry are one transaction.
func (h *Host) Deploy(ctx context.Context, req DeployRequest) (*Deployed, error) {
	c, entry, err := h.enter(ctx, "pipeline.deploy", req.Name)
	if err != nil {
		return nil, err
	}
	defer endPanic(ctx, entry)
	plan, err := h.check(req)
	if err != nil {
		return nil, finish(ctx, entry, err)
	}
	d := &catalogue.Deployment{App: c.App, Tenant: c.Tenant, Name: req.Name, Source: req.Source, Description: req.Description, CreatedBy: c.User}
	out, err := h.catalogue.Deploy(ctx, d, plan, req.Overwrite, func(tx *db.Tx, stored *catalogue.Deployment) error {
		return entry.EndTx(ctx, h.c.InTx(tx), audit.OK, audit.Detail{Key: "version", Value: strconv.FormatInt(stored.Version, 10)},
			audit.Detail{Key: "digest", Value: stored.Digest})
	})
	if err != nil {
		return nil, finish(ctx, entry, err)
	}
	return out, nil
}

func (h *Host) check(req DeployRequest) (*pipeline.Plan, error) {
	if err := h.CheckName(req.Name); err != nil {
		return nil, err
	}
	switch {
	case len(req.Source) > h.c.MaxSource:
		return nil, fault.New(fault.TooLarge, "the pipeline file is larger than %d bytes", h.c.MaxSource)
	case !utf8.ValidString(req.Source):
		return nil, fault.New(fault.Invalid, "the pipeline file is not UTF-8")
	case len(req.Description) > 4096:
		return nil, fault.New(fault.TooLarge, "the description is longer than 4096 bytes")
	}
	return h.compile(req.Source, req.Name)
}

// Undeploy makes a name answer nothing. Its versions stay in the catalogue.
func (h *Host) Undeploy(ctx context.Context, name string) error {
	c, entry, err := h.enter(ctx, "pipeline.undeploy", name)
	if err != nil {
		return err
	}
	if !namePattern.MatchString(name) {
		return finish(ctx, entry, catalogue.NotFound(name))
	}
	err = h.catalogue.Undeploy(ctx, c.App, c.Tenant, name, func(tx *db.Tx) error {
		return entry.EndTx(ctx, h.c.InTx(tx), audit.OK)
	})
	if err != nil {
		return finish(ctx, entry, err)
	}
	return nil
}

// Pipelines lists the tenant's deployments in the order of their first deployment.
func (h *Host) Pipelines(ctx context.Context) ([]*catalogue.Deployment, error) {
	c, entry, err := h.enter(ctx, "pipeline.read", "")
	if err != nil {
		return nil, err
	}
	list, err := h.catalogue.List(ctx, c.App, c.Tenant)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return list, nil
}

// Pipeline returns one deployment.
func (h *Host) Pipeline(ctx context.Context, name string) (*Deployed, error) {
	c, entry, err := h.enter(ctx, "pipeline.read", name)
	if err != nil {
		return nil, err
	}
	e, err := h.deployed(ctx, c, name)
	if err := finish(ctx, entry, err); err != nil {
		return nil, err
	}
	return e, nil
}

// deployed finds what answers for a name. What cannot be a name is not looked for.
func (h *Host) deployed(ctx context.Context, c scope.Caller, name string) (*Deployed, error) {
	if !namePattern.MatchString(name) {
		return nil, catalogue.NotFound(name)
	}
	return h.catalogue.Get(ctx, c.App, c.Tenant, name)
}
