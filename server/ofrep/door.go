package ofrep

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/flag"
	"github.com/haywardhq/hayward/vault/scope"
)

// Flags is the service behind the door; *host.Flags is one.
type Flags interface {
	EvaluateFor(ctx context.Context, key string, t host.FlagTarget) (flag.Detail, error)
	EvaluateAllFor(ctx context.Context, t host.FlagTarget) ([]flag.Detail, error)
}

// Door opens the protocol's routes.
type Door struct {
	Flags Flags
}

const (
	root    = "/ofrep/v1"
	maxBody = 256 << 10 // bytes: a context holds what is known about one user
)

// Routes implements router.Mounter.
func (d *Door) Routes() []router.Route {
	accepts := []router.Body{{ContentType: "application/json", Example: Request{}}}
	routes := []router.Route{
		{Method: http.MethodPost, Path: root + "/evaluate/flags/{key}", Handler: d.one, Summary: "Evaluate a flag", Accepts: accepts, Answers: Evaluation{},
			Document: true},
		// Clients that do not escape a key's slashes.
		{Method: http.MethodPost, Path: root + "/evaluate/flags/{key...}", Handler: d.one, Summary: "Evaluate a flag"},
		{Method: http.MethodPost, Path: root + "/evaluate/flags", Handler: d.all, Summary: "Evaluate every flag", Accepts: accepts, Answers: Bulk{},
			Document: true},
		{Method: http.MethodGet, Path: root + "/configuration", Handler: d.configuration, Summary: "What this server can do", Answers: Configuration{},
			Document: true},
	}
	for i := range routes {
		routes[i].Dialect, routes[i].Action, routes[i].Tag, routes[i].MaxBody = router.OFREP, policy.FlagRead, "ofrep", maxBody
	}
	return routes
}

// Evaluation is a flag's value and why it is that, or in its place an error.
type Evaluation struct {
	Key      string         `json:"key"`
	Value    value          `json:"value"`
	Reason   flag.Reason    `json:"reason"`
	Variant  string         `json:"variant"` // empty if the value has no name; some clients fail without the field
	Metadata map[string]any `json:"metadata,omitempty"`
}

// Failure is the body of an error about one flag.
type Failure struct {
	Key          string         `json:"key,omitempty"`
	ErrorCode    flag.ErrorCode `json:"errorCode"`
	ErrorDetails string         `json:"errorDetails"`
}

// Bulk is every flag of the app: each an [Evaluation] or a [Failure].
type Bulk struct {
	Flags []any `json:"flags"`
}

func (d *Door) one(ctx context.Context, r *router.Request) (any, error) {
	key := r.PathValue("key")
	target, err := read(r)
	if err != nil {
		return refuse(key, err)
	}
	detail, err := d.Flags.EvaluateFor(ctx, key, target)
	if err != nil {
		return refuse(key, err)
	}
	return evaluation(&detail), nil
}

func evaluation(d *flag.Detail) Evaluation {
	return Evaluation{Key: d.Key, Value: value{d.Value}, Reason: d.Reason, Variant: d.Variant, Metadata: d.Metadata()}
}

func (d *Door) all(ctx context.Context, r *router.Request) (any, error) {
	target, err := read(r)
	if err != nil {
		return refuse("", err)
	}
	list, err := d.Flags.EvaluateAllFor(ctx, target)
	if err != nil {
		return refuse("", err)
	}
	out := Bulk{Flags: make([]any, len(list))}
	for i := range list {
		if list[i].ErrorCode != "" {
			out.Flags[i] = Failure{list[i].Key, list[i].ErrorCode, list[i].ErrorMessage}
		} else {
			out.Flags[i] = evaluation(&list[i])
		}
	}
	return tagged(r, out)
}

// tagged answers with an entity tag of what is in the body, or 304 if the client has that already.
func tagged(r *router.Request, v any) (any, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the answer cannot be encoded")
	}
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
	h := http.Header{"Etag": {tag}, "Cache-Control": {"private, no-cache"}, "Vary": {"Authorization"}}
	if knows(r.Header.Values("If-None-Match"), tag) {
		return &router.Response{Status: http.StatusNotModified, Header: h}, nil
	}
	h.Set("Content-Type", "application/json")
	return &router.Response{Header: h, Body: body}, nil
}

// knows compares entity tags weakly (RFC 9110, section 13.1.2).
func knows(lines []string, tag string) bool {
	for _, line := range lines {
		for have := range strings.SplitSeq(line, ",") {
			if have = strings.TrimSpace(have); have == "*" || strings.TrimPrefix(have, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// refuse puts an error into the protocol's words. What the router answers for every door alike stays an error: who is not
// allowed, too large a body, too many requests.
func refuse(key string, err error) (any, error) {
	if errors.Is(err, scope.ErrNoTenant) {
		err = coded(flag.CodeInvalidContext, "the token is an operator's, and an operator belongs to no tenant").WithHint("log in as a user of the tenant")
	}
	f := fault.From(err)
	body := Failure{Key: key, ErrorCode: flag.ErrorCodeOf(err), ErrorDetails: f.Message}
	if f.Hint != "" {
		body.ErrorDetails += " (" + f.Hint + ")"
	}
	status := http.StatusBadRequest
	switch {
	case body.ErrorCode == flag.CodeFlagNotFound:
		status = http.StatusNotFound
	case body.ErrorCode != flag.CodeGeneral:
	case f.Kind == fault.Denied, f.Kind == fault.TooLarge, f.Kind == fault.Limited, f.Kind == fault.Timeout, f.Kind == fault.Canceled:
		return nil, err
	case f.Kind == fault.Internal: // what is inside stays inside; the router logs it
		return nil, err
	default:
		status = http.StatusInternalServerError
	}
	return &router.Response{Status: status, JSON: body}, nil
}

// Configuration is what a client may ask to set itself up.
type Configuration struct {
	Name         string       `json:"name"`
	Capabilities Capabilities `json:"capabilities"`
}

// Capabilities of this server.
type Capabilities struct {
	CacheInvalidation struct {
		Polling Polling `json:"polling"`
	} `json:"cacheInvalidation"`
	FlagEvaluation struct {
		SupportedTypes []string `json:"supportedTypes"`
	} `json:"flagEvaluation"`
	Caching struct {
		Enabled bool `json:"enabled"` // a client that keeps answers misses the kill switch
	} `json:"caching"`
}

// Polling says how often a client may ask for every flag.
type Polling struct {
	Enabled              bool `json:"enabled"`
	MinPollingIntervalMs int  `json:"minPollingIntervalMs"`
}

func (d *Door) configuration(_ context.Context, r *router.Request) (any, error) {
	c := Configuration{Name: "hayward"}
	c.Capabilities.CacheInvalidation.Polling = Polling{true, 1000}
	c.Capabilities.FlagEvaluation.SupportedTypes = []string{"int", "float", "string", "boolean", "object"}
	return tagged(r, c)
}
