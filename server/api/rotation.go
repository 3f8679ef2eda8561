package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/rotation"
)

// Rotations is what the door needs of rotations; *rotation.Service is one.
type Rotations interface {
	SetPolicy(ctx context.Context, p *rotation.Policy) (*rotation.Policy, error)
	GetPolicy(ctx context.Context, key, appID string) (*rotation.Policy, error)
	ListPolicies(ctx context.Context, appID string, opts rotation.PolicyOpts) ([]*rotation.Policy, error)
	DeletePolicy(ctx context.Context, key, appID string) error
	RotateNow(ctx context.Context, key, appID string) (*rotation.Record, error)
	History(ctx context.Context, key, appID string, opts rotation.ListOpts) ([]*rotation.Record, error)
	Status(ctx context.Context, key, appID string) (*rotation.Status, error)
	Abandon(ctx context.Context, key, appID string) error
}

func (d *Door) rotationRoutes() []router.Route {
	const tag, one = "rotations", "/api/v1/rotations/{name}"
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/rotations", Handler: d.listRotations, Action: policy.RotationRead, Tag: tag,
			Summary: "List the tenant's rotation policies by secret", Params: pageParams, Answers: RotationList{}},
		{Method: http.MethodPut, Path: one, Handler: d.setRotation, Action: policy.RotationManage, Tag: tag,
			Summary: "Say how and when a secret is rotated", Accepts: body(rotationExample{}), Answers: RotationPolicy{}},
		{Method: http.MethodGet, Path: one, Handler: d.getRotation, Action: policy.RotationRead, Tag: tag,
			Summary: "Describe the rotation policy of a secret", Answers: RotationPolicy{}},
		{Method: http.MethodDelete, Path: one, Handler: d.deleteRotation, Action: policy.RotationManage, Tag: tag,
			Summary: "Remove the rotation policy of a secret; a run under way is ended all the same"},
		{Method: http.MethodPost, Path: one + "/run", Handler: d.rotateNow, Action: policy.RotationRun, Tag: tag,
			Summary: "Rotate a secret now", Answers: rotation.Record{}},
		{Method: http.MethodGet, Path: one + "/history", Handler: d.rotationHistory, Action: policy.RotationRead, Tag: tag,
			Summary: "List what became of a secret's rotations, newest first, failures included",
			Params:  []router.Param{{Name: "limit", Doc: "records per page, at most 1000; default 100", Integer: true}, {Name: "below", Doc: "the last seq of the page before", Integer: true}},
			Answers: RotationRecords{}},
		{Method: http.MethodGet, Path: one + "/status", Handler: d.rotationStatus, Action: policy.RotationRead, Tag: tag,
			Summary: "Say where the rotation of a secret stands", Answers: RotationStatus{}},
		{Method: http.MethodPost, Path: one + "/abandon", Handler: d.abandonRotation, Action: policy.RotationManage, Tag: tag,
			Summary: "Give up the run under way: its staged version is destroyed, what is served stays"},
	}
}

// RotationBody says how and when a secret is rotated. Durations are such as 720h.
type RotationBody struct {
	Interval       string            `json:"interval"`
	Enabled        *bool             `json:"enabled,omitempty"`  // true when left out
	Rotator        string            `json:"rotator,omitempty"`  // random-password, random-token, and what else the server has
	Params         json.RawMessage   `json:"params,omitempty"`   // a JSON object for the rotator
	Grace          string            `json:"grace,omitempty"`    // how long the former version stays valid; none: not at all; a day when left out
	Lifetime       string            `json:"lifetime,omitempty"` // a new version expires so long after it is made
	Windows        []rotation.Window `json:"windows,omitempty"`  // when a rotation may begin; none: always
	TimeZone       string            `json:"time_zone,omitempty"`
	NextRotationAt *time.Time        `json:"next_rotation_at,omitempty"`
}

// rotationExample describes a RotationBody.
type rotationExample struct {
	RotationBody
	Params map[string]any `json:"params,omitempty"`
}

// noGrace is the word for a former version that ends at once.
const noGrace = "none"

func (b *RotationBody) policy(name string) (*rotation.Policy, error) {
	p := &rotation.Policy{SecretKey: name, Enabled: b.Enabled == nil || *b.Enabled, Rotator: b.Rotator, Params: b.Params, Windows: b.Windows,
		TimeZone: b.TimeZone, NextRotationAt: b.NextRotationAt}
	if b.Grace == noGrace {
		p.Grace, b.Grace = rotation.NoGrace, ""
	}
	for _, d := range []struct {
		name, text string
		to         *time.Duration
	}{{"interval", b.Interval, &p.Interval}, {"grace", b.Grace, &p.Grace}, {"lifetime", b.Lifetime, &p.Lifetime}} {
		if d.text == "" {
			continue
		}
		v, err := time.ParseDuration(d.text)
		if err != nil || v < 0 {
			return nil, fault.New(fault.Invalid, "%s is not a duration such as 720h", d.name).At(fault.Where{Field: d.name})
		}
		*d.to = v
	}
	if b.Interval == "" {
		return nil, fault.New(fault.Invalid, "the interval is missing").At(fault.Where{Field: "interval"}).WithHint("a duration such as 720h")
	}
	return p, nil
}

// RotationPolicy is a policy with its durations in words.
type RotationPolicy struct {
	SecretKey      string            `json:"secret_key"`
	Interval       string            `json:"interval"`
	Enabled        bool              `json:"enabled"`
	Rotator        string            `json:"rotator,omitempty"`
	Params         json.RawMessage   `json:"params,omitempty"`
	Grace          string            `json:"grace,omitempty"` // "" is the default
	Lifetime       string            `json:"lifetime,omitempty"`
	Windows        []rotation.Window `json:"windows,omitempty"`
	TimeZone       string            `json:"time_zone,omitempty"`
	LastRotatedAt  *time.Time        `json:"last_rotated_at,omitempty"`
	NextRotationAt *time.Time        `json:"next_rotation_at,omitempty"`
	CreatedBy      string            `json:"created_by,omitempty"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
}

func rotationPolicy(p *rotation.Policy) *RotationPolicy {
	if p == nil {
		return nil
	}
	out := &RotationPolicy{SecretKey: p.SecretKey, Interval: p.Interval.String(), Enabled: p.Enabled, Rotator: p.Rotator, Params: p.Params, Windows: p.Windows,
		TimeZone: p.TimeZone, LastRotatedAt: p.LastRotatedAt, NextRotationAt: p.NextRotationAt, CreatedBy: p.CreatedBy, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt}
	switch {
	case p.Grace == rotation.NoGrace:
		out.Grace = noGrace
	case p.Grace > 0:
		out.Grace = p.Grace.String()
	}
	if p.Lifetime > 0 {
		out.Lifetime = p.Lifetime.String()
	}
	return out
}

// RotationList is a page of policies.
type RotationList struct {
	Policies []*RotationPolicy `json:"policies"`
	Next     string            `json:"next,omitempty"`
	Rotators []string          `json:"rotators"` // the kinds that a policy can name on this server
}

// RotationRecords is a page of records.
type RotationRecords struct {
	Records []*rotation.Record `json:"records"`
}

// RotationStatus is where a rotation stands.
type RotationStatus struct {
	*rotation.Status
	Policy *RotationPolicy `json:"policy,omitempty"`
}

func (d *Door) listRotations(ctx context.Context, r *router.Request) (any, error) {
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	list, err := d.Rotations.ListPolicies(ctx, "", rotation.PolicyOpts{Limit: limit, After: r.URL.Query().Get("after")})
	if err != nil {
		return nil, err
	}
	out := RotationList{Policies: make([]*RotationPolicy, len(list)), Rotators: d.Rotators()}
	for i, p := range list {
		out.Policies[i] = rotationPolicy(p)
	}
	if len(list) == limit {
		out.Next = list[len(list)-1].SecretKey
	}
	return out, nil
}

func (d *Door) setRotation(ctx context.Context, r *router.Request) (any, error) {
	var b RotationBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	p, err := b.policy(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	p, err = d.Rotations.SetPolicy(ctx, p)
	return answer(rotationPolicy(p), err)
}

func (d *Door) getRotation(ctx context.Context, r *router.Request) (any, error) {
	p, err := d.Rotations.GetPolicy(ctx, r.PathValue("name"), "")
	return answer(rotationPolicy(p), err)
}

func (d *Door) deleteRotation(ctx context.Context, r *router.Request) (any, error) {
	return nil, d.Rotations.DeletePolicy(ctx, r.PathValue("name"), "")
}

func (d *Door) rotateNow(ctx context.Context, r *router.Request) (any, error) {
	return answer(d.Rotations.RotateNow(ctx, r.PathValue("name"), ""))
}

func (d *Door) rotationHistory(ctx context.Context, r *router.Request) (any, error) {
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	below, err := versionParam(r, "below")
	if err != nil {
		return nil, err
	}
	list, err := d.Rotations.History(ctx, r.PathValue("name"), "", rotation.ListOpts{Limit: limit, Below: below})
	return answer(RotationRecords{append([]*rotation.Record{}, list...)}, err)
}

func (d *Door) rotationStatus(ctx context.Context, r *router.Request) (any, error) {
	s, err := d.Rotations.Status(ctx, r.PathValue("name"), "")
	if err != nil {
		return nil, err
	}
	return RotationStatus{s, rotationPolicy(s.Policy)}, nil
}

func (d *Door) abandonRotation(ctx context.Context, r *router.Request) (any, error) {
	return nil, d.Rotations.Abandon(ctx, r.PathValue("name"), "")
}
