package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/sink"
	"github.com/haywardhq/hayward/vault/backup"
)

func (d *Door) auditRoutes() []router.Route {
	const tag = "audit"
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/audit", Handler: d.listAudit, Action: policy.AuditRead, Tag: tag,
			Summary: "List audit entries: a tenant's own; an operator's by default those of every tenant", Answers: audit.Page{},
			Params: []router.Param{{Name: "tenant", Doc: "operators: one tenant's id"}, {Name: "scope", Doc: "operators: every (default) or operator, for the operator's own chain"},
				{Name: "user", Doc: "who acted"}, {Name: "action", Doc: "pipeline.run, or a prefix: secret.*"}, {Name: "key", Doc: "the name of the thing"},
				{Name: "outcome", Doc: "begin, ok, denied, not_found or error"}, {Name: "request_id", Doc: "one request"},
				{Name: "from", Doc: "RFC 3339"}, {Name: "to", Doc: "RFC 3339"}, {Name: "limit", Doc: "at most 1000; default 100", Integer: true},
				{Name: "cursor", Doc: "next of the page before"}, {Name: "order", Doc: "newest (default) or oldest"}}},
		{Method: http.MethodPost, Path: "/api/v1/audit/verify", Handler: d.verifyAudit, Action: policy.AuditReadAll, Tag: tag,
			Summary: "Verify every audit chain against its head and the checkpoints", Answers: AuditReport{}},
		{Method: http.MethodGet, Path: "/api/v1/audit/checkpoints", Handler: d.auditCheckpoints, Action: policy.AuditRead, Tag: tag,
			Summary: "Show the newest signed checkpoint of each log that has the caller's entries, to be kept elsewhere", Answers: Checkpoints{}},
		{Method: http.MethodGet, Path: "/api/v1/audit/keys", Handler: d.auditKeys, Self: true, Tag: tag,
			Summary: "Show the public keys that checkpoints are signed with", Answers: AuditKeys{}},
		{Method: http.MethodGet, Path: "/api/v1/audit/status", Handler: d.auditStatus, Action: policy.AuditReadAll, Tag: tag,
			Summary: "Say how signing the record is doing", Answers: audit.CheckpointStatus{}},
		{Method: http.MethodGet, Path: "/api/v1/audit/sinks", Handler: d.auditSinks, Action: policy.AuditReadAll, Tag: tag,
			Summary: "Say how copying the record is doing: where each sink is, how far behind, and since when it fails", Answers: AuditSinks{}},
		{Method: http.MethodGet, Path: "/api/v1/audit/entries/{id}/proof", Handler: d.proveEntry, Action: policy.AuditRead, Tag: tag,
			Summary: "Prove that one entry is under a checkpoint; the proof holds nothing of others but hashes", Answers: audit.Proof{}},
		{Method: http.MethodPost, Path: "/api/v1/audit/export", Handler: d.exportAudit, Action: policy.AuditRead, Tag: tag, Stream: true,
			Summary: "Export whole chains as JSON lines, with what proves them; verified offline", Accepts: body(ExportBody{})},
	}
}

func (d *Door) listAudit(ctx context.Context, r *router.Request) (any, error) {
	q, err := auditQuery(r)
	if err != nil {
		return nil, err
	}
	return d.Audit.List(ctx, q)
}

func auditQuery(r *router.Request) (audit.Query, error) {
	v := r.URL.Query()
	if err := oneOf(v.Get("order"), "order", "newest", "oldest"); err != nil {
		return audit.Query{}, err
	}
	if err := oneOf(v.Get("scope"), "scope", "every", "operator"); err != nil {
		return audit.Query{}, err
	}
	if err := oneOf(v.Get("outcome"), "outcome", "begin", "ok", "denied", "not_found", "error"); err != nil {
		return audit.Query{}, err
	}
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return audit.Query{}, err
	}
	q := audit.Query{Tenant: v.Get("tenant"), User: v.Get("user"), Action: v.Get("action"), Key: v.Get("key"), Outcome: audit.Outcome(v.Get("outcome")),
		RequestID: v.Get("request_id"), Cursor: v.Get("cursor"), OldestFirst: v.Get("order") == "oldest", Limit: limit}
	q.EveryTenant = everyTenant(r, q.Tenant, v.Get("scope"))
	if q.From, err = timeParam(v.Get("from"), "from"); err != nil {
		return q, err
	}
	q.To, err = timeParam(v.Get("to"), "to")
	return q, err
}

func oneOf(text, name string, words ...string) error {
	if text == "" || slices.Contains(words, text) {
		return nil
	}
	return fault.New(fault.Invalid, "%s must be %s", name, strings.Join(words, " or ")).At(fault.Where{Field: name})
}

func timeParam(text, name string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.New(fault.Invalid, "%s is not a time such as 2026-11-22T10:00:00Z", name).At(fault.Where{Field: name})
	}
	return t, nil
}

// AuditReport is what a verification found.
type AuditReport struct {
	audit.Report
	// Restored is nil unless the record went through a restore whose entry says how it ended before.
	Restored *backup.Restored `json:"restored,omitempty"`
}

func (d *Door) verifyAudit(ctx context.Context, _ *router.Request) (any, error) { return d.Verify(ctx) }

// everyTenant says that an operator named nothing narrower.
func everyTenant(r *router.Request, tenant, scope string) bool {
	return r.Who.Tenant == "" && tenant == "" && scope != "operator"
}

// Checkpoints are signed notes, one of each log.
type Checkpoints struct {
	Checkpoints []Checkpoint `json:"checkpoints"`
}

// Checkpoint says, signed, what every chain of one node was at a moment.
type Checkpoint struct {
	Node   string    `json:"node"`
	Epoch  int64     `json:"epoch"`
	Number int64     `json:"number"`
	Chains int64     `json:"chains"`
	Time   time.Time `json:"time"`
	Text   string    `json:"text"` // the signed note itself: what counts
}

// AuditKeys are public keys, one a line.
type AuditKeys struct {
	Keys string `json:"keys"`
}

// ExportBody says what is exported. The zero value is all of the caller's own chains; an operator's, those of every tenant.
type ExportBody struct {
	Tenant string `json:"tenant,omitempty"` // operators: one tenant's id
	Scope  string `json:"scope,omitempty"`  // operators: every (default) or operator
	Since  string `json:"since,omitempty"`  // checkpoints the reader holds: the export proves that it continues them
}

func (d *Door) auditCheckpoints(ctx context.Context, _ *router.Request) (any, error) {
	list, err := d.Audit.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	out := Checkpoints{Checkpoints: make([]Checkpoint, len(list))}
	for i, c := range list {
		out.Checkpoints[i] = Checkpoint{Node: c.Node, Epoch: c.Epoch, Number: c.Number, Chains: c.Chains, Time: c.At, Text: c.Text}
	}
	return out, nil
}

func (d *Door) auditKeys(context.Context, *router.Request) (any, error) {
	return AuditKeys{d.AuditKeys}, nil
}

// AuditSinks are the places that get copies of the record.
type AuditSinks struct {
	Sinks []sink.Status `json:"sinks"`
}

func (d *Door) auditStatus(ctx context.Context, r *router.Request) (any, error) {
	if err := d.mayReadRecord(ctx, r); err != nil {
		return nil, err
	}
	return d.AuditStatus(), nil
}

func (d *Door) auditSinks(ctx context.Context, r *router.Request) (any, error) {
	if err := d.mayReadRecord(ctx, r); err != nil {
		return nil, err
	}
	return AuditSinks{d.AuditSinks()}, nil
}

// mayReadRecord asks the gate as a list of the operator's own chain would: whoever may read that may see how it is kept.
func (d *Door) mayReadRecord(ctx context.Context, r *router.Request) error {
	if r.Who.Tenant != "" {
		return operatorsOnly()
	}
	_, err := d.Audit.List(ctx, audit.Query{Limit: 1})
	return err
}

func operatorsOnly() error {
	return fault.New(fault.Denied, "only an operator may do this").WithHint("an operator acts outside every tenant")
}

func (d *Door) proveEntry(ctx context.Context, r *router.Request) (any, error) {
	return answer(d.Audit.Prove(ctx, r.PathValue("id")))
}

func (d *Door) exportAudit(ctx context.Context, r *router.Request) (any, error) {
	var b ExportBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if err := oneOf(b.Scope, "scope", "every", "operator"); err != nil {
		return nil, err
	}
	q := audit.Query{Tenant: b.Tenant, EveryTenant: everyTenant(r, b.Tenant, b.Scope)}
	if b.Since != "" {
		var err error
		if q.Since, err = audit.ParseCheckpoints(b.Since); err != nil {
			return nil, err
		}
	}
	return &router.Response{Header: http.Header{"Content-Type": {"application/x-ndjson"}}, Write: func(w io.Writer, _ func() error) error {
		_, err := d.Audit.Export(ctx, w, q)
		return err
	}}, nil
}
