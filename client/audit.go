package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AuditQuery selects audit entries; empty fields select everything.
type AuditQuery struct {
	Tenant    string // operators: one tenant's id
	Scope     string // operators: "every" (default) or "operator", for the operator's own chain
	User      string
	Action    string // an action, or a prefix: "secret.*"
	Key       string // the name of the thing
	Outcome   string // begin, ok, denied, not_found or error
	RequestID string
	From, To  time.Time
	Limit     int // entries per page; 0 means 100, most 1000
	Cursor    string
	Oldest    bool // oldest first; newest first otherwise
}

// AuditEntry is one entry of the record.
type AuditEntry struct {
	ID        string      `json:"id"`
	Ref       string      `json:"ref,omitempty"` // the first entry that this one completes
	AppID     string      `json:"app"`
	TenantID  string      `json:"tenant"`
	Node      string      `json:"node"`
	Epoch     int64       `json:"epoch"`
	Seq       int64       `json:"seq"`
	Time      time.Time   `json:"time"`
	UserID    string      `json:"user,omitempty"`
	IP        string      `json:"ip,omitempty"`
	RequestID string      `json:"request_id,omitempty"`
	Action    string      `json:"action"`
	Resource  string      `json:"resource"`
	Key       string      `json:"key,omitempty"`
	Outcome   string      `json:"outcome"`
	Details   [][2]string `json:"details,omitempty"` // pairs, in the order they were noted
}

// AuditPage is a part of a list; Next is the cursor of the following one.
type AuditPage struct {
	Entries []AuditEntry `json:"entries"`
	Next    string       `json:"next,omitempty"`
}

func (q AuditQuery) values() url.Values {
	v := url.Values{}
	for _, p := range [][2]string{{"tenant", q.Tenant}, {"scope", q.Scope}, {"user", q.User}, {"action", q.Action}, {"key", q.Key}, {"outcome", q.Outcome},
		{"request_id", q.RequestID}, {"cursor", q.Cursor}, {"from", rfc3339(q.From)}, {"to", rfc3339(q.To)}} {
		if p[1] != "" {
			v.Set(p[0], p[1])
		}
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Oldest {
		v.Set("order", "oldest")
	}
	return v
}

func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Audit lists a page of the record: a tenant's own entries, or an operator's choice.
func (c *Client) Audit(ctx context.Context, q AuditQuery) (AuditPage, error) {
	var out AuditPage
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/audit", Query: q.values()}, &out)
}

// AuditReport is what a verification found.
type AuditReport struct {
	Chains     int            `json:"chains"`
	Entries    int64          `json:"entries"`
	Unfinished int64          `json:"unfinished"`
	Ahead      int64          `json:"ahead"`
	Problems   []AuditProblem `json:"problems"`
}

// AuditProblem is the first thing wrong with a chain.
type AuditProblem struct {
	App    string `json:"app"`
	Tenant string `json:"tenant"`
	Node   string `json:"node"`
	Epoch  int64  `json:"epoch"`
	Seq    int64  `json:"seq"`
	ID     string `json:"id,omitempty"`
	What   string `json:"what"`
}

// VerifyAudit has the server verify every chain against its head; for operators.
func (c *Client) VerifyAudit(ctx context.Context) (AuditReport, error) {
	var out AuditReport
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: "/api/v1/audit/verify"}, &out)
}
