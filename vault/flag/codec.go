package flag

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// What is stored is these structs as JSON, with every value as vault/internal/typed writes it.
type storedDefinition struct {
	Type           Type              `json:"type"`
	Default        *typed.Encoded    `json:"default,omitempty"`
	DefaultVariant string            `json:"default_variant,omitempty"`
	Description    string            `json:"description,omitempty"`
	Tags           []string          `json:"tags,omitempty"`
	Variants       []storedVariant   `json:"variants,omitempty"`
	Prerequisites  []storedPrereq    `json:"prerequisites,omitempty"`
	Enabled        bool              `json:"enabled"`
	Metadata       map[string]string `json:"metadata,omitempty"`
}

type storedVariant struct {
	Name        string        `json:"name"`
	Value       typed.Encoded `json:"value"`
	Description string        `json:"description,omitempty"`
}

type storedPrereq struct {
	FlagKey string         `json:"flag_key"`
	Value   *typed.Encoded `json:"value,omitempty"`
	Variant string         `json:"variant,omitempty"`
}

type storedRule struct {
	ID          id.ID             `json:"id"`
	Priority    int               `json:"priority"`
	Type        RuleType          `json:"type"`
	Config      RuleConfig        `json:"config"` // without params and conditions
	Params      *typed.Encoded    `json:"params,omitempty"`
	Conditions  []storedCondition `json:"conditions,omitempty"`
	Value       *typed.Encoded    `json:"value,omitempty"`
	Variant     string            `json:"variant,omitempty"`
	Description string            `json:"description,omitempty"`
	CreatedAt   int64             `json:"created_at"`
	UpdatedAt   int64             `json:"updated_at"`
}

type storedCondition struct {
	Attribute string          `json:"attribute"`
	Op        Op              `json:"op"`
	Values    []typed.Encoded `json:"values,omitempty"`
	Negate    bool            `json:"negate,omitempty"`
}

// coder collects the first error of many values.
type coder struct{ err error }

func (c *coder) encode(v any) typed.Encoded {
	e, err := typed.Encode(v)
	if c.err == nil {
		c.err = err
	}
	return e
}

// optional is encode for a value that may be missing: nil is that.
func (c *coder) optional(v any) *typed.Encoded {
	if v == nil {
		return nil
	}
	e := c.encode(v)
	return &e
}

func (c *coder) decode(e *typed.Encoded) any {
	if e == nil {
		return nil
	}
	v, err := typed.Decode(*e)
	if c.err == nil {
		c.err = err
	}
	return v
}

func (c *coder) encodeConditions(list []Condition) (out []storedCondition) {
	for _, cond := range list {
		sc := storedCondition{Attribute: cond.Attribute, Op: cond.Op, Negate: cond.Negate}
		for _, v := range cond.Values {
			sc.Values = append(sc.Values, c.encode(v))
		}
		out = append(out, sc)
	}
	return out
}

func (c *coder) decodeConditions(list []storedCondition) (out []Condition) {
	for _, sc := range list {
		cond := Condition{Attribute: sc.Attribute, Op: sc.Op, Negate: sc.Negate}
		for _, v := range sc.Values {
			cond.Values = append(cond.Values, c.decode(&v))
		}
		out = append(out, cond)
	}
	return out
}

// Limits of what stands beside the values.
const (
	maxStored = 1 << 20 // bytes of a definition, or of a flag's rules
)

func encodeDefinition(d *Definition) (string, error) {
	var c coder
	s := storedDefinition{Type: d.Type, Default: c.optional(d.DefaultValue), DefaultVariant: d.DefaultVariant, Description: d.Description,
		Tags: d.Tags, Enabled: d.Enabled, Metadata: d.Metadata}
	for _, v := range d.Variants {
		s.Variants = append(s.Variants, storedVariant{v.Name, c.encode(v.Value), v.Description})
	}
	for _, p := range d.Prerequisites {
		s.Prerequisites = append(s.Prerequisites, storedPrereq{p.FlagKey, c.optional(p.Value), p.Variant})
	}
	return c.text(s, "definition")
}

func (c *coder) text(v any, what string) (string, error) {
	if c.err != nil {
		return "", c.err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fault.New(fault.Invalid, "the flag's %s cannot be written down", what)
	}
	if len(b) > maxStored {
		return "", fault.New(fault.TooLarge, "the flag's %s has %d bytes when written down; the most is %d", what, len(b), maxStored).
			At(fault.Where{Field: what})
	}
	return string(b), nil
}

// strict reads stored JSON; a field it does not know means that somebody newer wrote it.
func strict(text string, v any) error {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

func decodeDefinition(r driver.FlagRow) (*Definition, error) {
	var s storedDefinition
	if err := strict(r.Definition, &s); err != nil {
		return nil, unreadable(r.Name, err)
	}
	var c coder
	d := &Definition{Entity: entity(r.CreatedAt, r.UpdatedAt), ID: id.ID(r.ID), Key: r.Name, Type: s.Type, DefaultValue: c.decode(s.Default),
		DefaultVariant: s.DefaultVariant, Description: s.Description, Tags: s.Tags, Enabled: s.Enabled, AppID: r.App, Version: r.Version,
		Metadata: s.Metadata}
	for _, v := range s.Variants {
		d.Variants = append(d.Variants, Variant{v.Name, c.decode(&v.Value), v.Description})
	}
	for _, p := range s.Prerequisites {
		d.Prerequisites = append(d.Prerequisites, Prerequisite{p.FlagKey, c.decode(p.Value), p.Variant})
	}
	if c.err != nil {
		return nil, unreadable(r.Name, c.err)
	}
	return d, nil
}

func entity(created, updated int64) base.Entity {
	return base.Entity{CreatedAt: time.UnixMicro(created).UTC(), UpdatedAt: time.UnixMicro(updated).UTC()}
}

func encodeRules(rules []*Rule, now int64) (string, error) {
	var c coder
	out := make([]storedRule, 0, len(rules))
	for _, r := range inOrder(rules) {
		s := storedRule{ID: r.ID, Priority: r.Priority, Type: r.Type, Config: r.Config, Value: c.optional(r.ReturnValue), Variant: r.ReturnVariant,
			Description: r.Description, CreatedAt: r.CreatedAt.UnixMicro(), UpdatedAt: now}
		if s.ID == "" {
			s.ID = id.New(id.Rule)
		}
		if r.CreatedAt.IsZero() {
			s.CreatedAt = now
		}
		if r.Config.Params != nil {
			s.Params = c.optional(r.Config.Params)
		}
		s.Conditions = c.encodeConditions(r.Config.Conditions)
		s.Config.Params, s.Config.Conditions = nil, nil
		out = append(out, s)
	}
	return c.text(out, "rules")
}

func decodeRules(row driver.FlagRow) ([]*Rule, error) {
	var stored []storedRule
	if err := strict(row.Rules, &stored); err != nil {
		return nil, unreadable(row.Name, err)
	}
	var c coder
	out := make([]*Rule, 0, len(stored))
	for _, s := range stored {
		r := &Rule{Entity: entity(s.CreatedAt, s.UpdatedAt), ID: s.ID, FlagKey: row.Name, AppID: row.App, Priority: s.Priority, Type: s.Type,
			Config: s.Config, ReturnValue: c.decode(s.Value), ReturnVariant: s.Variant, Description: s.Description}
		r.Config.Params, _ = c.decode(s.Params).(map[string]any)
		r.Config.Conditions = c.decodeConditions(s.Conditions)
		out = append(out, r)
	}
	if c.err != nil {
		return nil, unreadable(row.Name, c.err)
	}
	return out, nil
}

func decodeOverride(r driver.FlagOverrideRow) (*TenantOverride, error) {
	v, err := typed.Decode(typed.Encoded{Kind: r.Kind, Text: r.Value})
	if err != nil {
		return nil, unreadable(r.Name, err)
	}
	return &TenantOverride{Entity: entity(r.CreatedAt, r.UpdatedAt), ID: id.ID(r.ID), FlagKey: r.Name, AppID: r.App, TenantID: r.Tenant, Value: v,
		Version: r.Version}, nil
}

// checkNotes bounds what stands beside a definition's values.
func checkNotes(d *Definition) error {
	if len(d.Description) > 4096 || len(d.Tags) > 64 || len(d.Metadata) > 64 ||
		slices.ContainsFunc(d.Tags, tooLong) || slices.ContainsFunc(slices.Collect(maps.Values(d.Metadata)), tooLong) {
		return fault.New(fault.TooLarge, "a flag has a description of at most 4096 bytes, and 64 tags and 64 metadata entries of at most 1024")
	}
	return nil
}

func tooLong(s string) bool { return len(s) > 1024 }
