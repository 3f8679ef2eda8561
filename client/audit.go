package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
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
	Carried    int64          `json:"carried"` // entries that only the head file has; the server adds them when it starts
	Signed     int64          `json:"signed"`  // entries under a checkpoint
	Problems   []AuditProblem `json:"problems"`
	Restored   *AuditRestored `json:"restored,omitempty"` // what is known of epochs that came from a backup
}

// AuditRestored says that epochs of the record came from a backup, and are as they were then.
type AuditRestored struct {
	Epochs int64     `json:"epochs"` // up to this one
	Chains int       `json:"chains"`
	At     time.Time `json:"at"`     // of the restore
	SHA256 string    `json:"sha256"` // of the backup
}

// AuditProblem is the first thing wrong with a chain.
type AuditProblem struct {
	App    string `json:"app"`
	Tenant string `json:"tenant"`
	Node   string `json:"node"`
	Epoch  int64  `json:"epoch"`
	Seq    int64  `json:"seq"`
	ID     string `json:"id,omitempty"`
	File   string `json:"file,omitempty"` // "head file" or "checkpoint file": nothing is wrong but with that
	What   string `json:"what"`
}

// VerifyAudit has the server verify every chain against its head; for operators.
func (c *Client) VerifyAudit(ctx context.Context) (AuditReport, error) {
	var out AuditReport
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: "/api/v1/audit/verify"}, &out)
}

// AuditCheckpoint says, signed, what every chain of one node was at a moment.
type AuditCheckpoint struct {
	Node   string    `json:"node"`
	Epoch  int64     `json:"epoch"`
	Number int64     `json:"number"`
	Chains int64     `json:"chains"`
	Time   time.Time `json:"time"`
	Text   string    `json:"text"` // the signed note itself: what counts
}

// AuditCheckpoints returns the newest checkpoint of each log that has entries of the caller's, to be kept elsewhere.
func (c *Client) AuditCheckpoints(ctx context.Context) ([]AuditCheckpoint, error) {
	var out struct {
		Checkpoints []AuditCheckpoint `json:"checkpoints"`
	}
	return out.Checkpoints, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/audit/checkpoints"}, &out)
}

// AuditKeys returns the public keys that checkpoints are signed with, one a line.
func (c *Client) AuditKeys(ctx context.Context) (string, error) {
	var out struct {
		Keys string `json:"keys"`
	}
	return out.Keys, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/audit/keys"}, &out)
}

// AuditStatus says how signing the record is doing; for operators.
type AuditStatus struct {
	Number   int64          `json:"number"` // the newest checkpoint; 0: none yet
	Time     time.Time      `json:"time"`
	Problems []AuditProblem `json:"problems"`
	Error    string         `json:"error,omitempty"` // why the last attempt failed
}

// AuditStatus says how signing the record is doing; for operators.
func (c *Client) AuditStatus(ctx context.Context) (AuditStatus, error) {
	var out AuditStatus
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/audit/status"}, &out)
}

// AuditSink says how copying the record to one place is doing.
type AuditSink struct {
	Name         string             `json:"name"`
	Delivered    int64              `json:"delivered"`              // entries since the server started, repetitions included
	Position     *AuditSinkPosition `json:"position,omitempty"`     // the newest entry that was delivered since then
	Lag          int64              `json:"lag"`                    // entries not delivered yet
	Since        time.Time          `json:"since,omitzero"`         // when the oldest of them came
	LastOK       time.Time          `json:"last_ok,omitzero"`       // when the sink last took something, or was up to date
	Failures     int64              `json:"failures"`               // in a row
	FailingSince time.Time          `json:"failing_since,omitzero"` // when the first of those was
	ErrorKind    string             `json:"error_kind,omitempty"`   // of the last of those
	Error        string             `json:"error,omitempty"`
	Alarm        bool               `json:"alarm"` // it is further behind than it may be
}

// AuditSinkPosition is a place in the record.
type AuditSinkPosition struct {
	Entry  string    `json:"entry"` // its id
	App    string    `json:"app,omitempty"`
	Tenant string    `json:"tenant,omitempty"` // id
	Epoch  int64     `json:"epoch"`
	Seq    int64     `json:"seq"` // in its chain
	Time   time.Time `json:"time"`
}

// AuditSinks says how the server that answers copies its part of the record to other places; for operators.
func (c *Client) AuditSinks(ctx context.Context) ([]AuditSink, error) {
	var out struct {
		Sinks []AuditSink `json:"sinks"`
	}
	return out.Sinks, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/audit/sinks"}, &out)
}

// ProveAudit returns the proof that one entry is under a checkpoint, as the server wrote it: the package vault/audit reads it.
func (c *Client) ProveAudit(ctx context.Context, entryID string) (json.RawMessage, error) {
	var out json.RawMessage
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/audit/entries/" + segment(entryID) + "/proof"}, &out)
}

// AuditExport says what is exported; the zero value is all of the caller's own chains, an operator's those of every tenant.
type AuditExport struct {
	Tenant string `json:"tenant,omitempty"` // operators: one tenant's id
	Scope  string `json:"scope,omitempty"`  // operators: every (default) or operator
	Since  string `json:"since,omitempty"`  // checkpoints that are held: the export proves that it continues them
}

// ExportAudit writes whole chains to w as JSON lines, with what proves them.
func (c *Client) ExportAudit(ctx context.Context, e AuditExport, w io.Writer) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the request cannot be encoded")
	}
	resp, err := c.Open(ctx, Request{Method: http.MethodPost, Path: "/api/v1/audit/export", Body: body})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the export broke off")
	}
	return nil
}
