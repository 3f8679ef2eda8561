package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// RotationWindow is when a rotation may begin.
type RotationWindow struct {
	Days []string `json:"days,omitempty"` // mon, tue, wed, thu, fri, sat, sun; none: every day
	From string   `json:"from"`           // 15:04
	To   string   `json:"to"`             // 15:04, no longer in the window
}

// RotationPolicy says how and when a secret is rotated. Durations are in words, such as 720h.
type RotationPolicy struct {
	SecretKey      string           `json:"secret_key,omitempty"`
	Interval       string           `json:"interval"`
	Enabled        bool             `json:"enabled"`
	Rotator        string           `json:"rotator,omitempty"`
	Params         json.RawMessage  `json:"params,omitempty"`
	Grace          string           `json:"grace,omitempty"` // how long the former version stays valid; "none"; "" is the server's default
	Lifetime       string           `json:"lifetime,omitempty"`
	Windows        []RotationWindow `json:"windows,omitempty"`
	TimeZone       string           `json:"time_zone,omitempty"`
	LastRotatedAt  *time.Time       `json:"last_rotated_at,omitempty"`
	NextRotationAt *time.Time       `json:"next_rotation_at,omitempty"`
	CreatedBy      string           `json:"created_by,omitempty"`
}

// RotationFailure says why a step failed.
type RotationFailure struct {
	Step    string `json:"step"`
	Kind    string `json:"kind"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// RotationRecord is what became of one attempt.
type RotationRecord struct {
	Seq        int64            `json:"seq"`
	RunID      string           `json:"run_id"`
	Outcome    string           `json:"outcome"` // rotated, failed or abandoned
	OldVersion int64            `json:"old_version"`
	NewVersion int64            `json:"new_version"`
	RotatedBy  string           `json:"rotated_by"`
	RotatedAt  time.Time        `json:"rotated_at"`
	Failure    *RotationFailure `json:"failure,omitempty"`
}

// RotationStatus is where the rotation of a secret stands.
type RotationStatus struct {
	SecretKey  string           `json:"secret_key"`
	State      string           `json:"state"` // idle, creating, pending, set, tested or current
	DueAt      *time.Time       `json:"due_at,omitempty"`
	Overdue    bool             `json:"overdue"`
	RunID      string           `json:"run_id,omitempty"`
	OldVersion int64            `json:"old_version,omitempty"`
	NewVersion int64            `json:"new_version,omitempty"`
	StartedBy  string           `json:"started_by,omitempty"`
	Attempt    int              `json:"attempt,omitempty"`
	Failure    *RotationFailure `json:"failure,omitempty"`
	Holder     string           `json:"holder,omitempty"`
	Policy     *RotationPolicy  `json:"policy,omitempty"`
}

func rotationPath(name string) string { return "/api/v1/rotations/" + segment(name) }

// Rotations lists the tenant's rotation policies, and the kinds of rotators that the server has.
func (c *Client) Rotations(ctx context.Context) (policies []RotationPolicy, rotators []string, err error) {
	policies = []RotationPolicy{}
	err = c.pages(ctx, "/api/v1/rotations", nil, func(get func(any) error) (string, error) {
		var page struct {
			Policies []RotationPolicy `json:"policies"`
			Next     string           `json:"next"`
			Rotators []string         `json:"rotators"`
		}
		err := get(&page)
		policies, rotators = append(policies, page.Policies...), page.Rotators
		return page.Next, err
	})
	return policies, rotators, err
}

// SetRotation says how and when a secret is rotated.
func (c *Client) SetRotation(ctx context.Context, name string, p RotationPolicy) (RotationPolicy, error) {
	p.SecretKey, p.LastRotatedAt, p.CreatedBy = "", nil, ""
	var out RotationPolicy
	return out, c.Do(ctx, Request{Method: http.MethodPut, Path: rotationPath(name), JSON: p}, &out)
}

// Rotation describes the rotation policy of a secret.
func (c *Client) Rotation(ctx context.Context, name string) (RotationPolicy, error) {
	var out RotationPolicy
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: rotationPath(name)}, &out)
}

// DeleteRotation removes the rotation policy of a secret.
func (c *Client) DeleteRotation(ctx context.Context, name string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: rotationPath(name)}, nil)
}

// RotateNow rotates a secret and returns when the new version is served.
func (c *Client) RotateNow(ctx context.Context, name string) (RotationRecord, error) {
	var out RotationRecord
	return out, c.Do(ctx, Request{Method: http.MethodPost, Path: rotationPath(name) + "/run"}, &out)
}

// RotationHistory lists what became of a secret's rotations, newest first; limit 0 means 100.
func (c *Client) RotationHistory(ctx context.Context, name string, limit int) ([]RotationRecord, error) {
	var q url.Values
	if limit > 0 {
		q = url.Values{"limit": {strconv.Itoa(limit)}}
	}
	var out struct {
		Records []RotationRecord `json:"records"`
	}
	return out.Records, c.Do(ctx, Request{Method: http.MethodGet, Path: rotationPath(name) + "/history", Query: q}, &out)
}

// RotationStatus says where the rotation of a secret stands.
func (c *Client) RotationStatus(ctx context.Context, name string) (RotationStatus, error) {
	var out RotationStatus
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: rotationPath(name) + "/status"}, &out)
}

// AbandonRotation gives up the run under way: its staged version is destroyed, what is served stays.
func (c *Client) AbandonRotation(ctx context.Context, name string) error {
	return c.Do(ctx, Request{Method: http.MethodPost, Path: rotationPath(name) + "/abandon"}, nil)
}
