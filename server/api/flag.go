package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/flag"
)

// Flags is what the door needs of flags; *host.Flags is one.
type Flags interface {
	Evaluate(ctx context.Context, key string) (flag.Detail, error)
	EvaluateAll(ctx context.Context) ([]flag.Detail, error)
	ExplainFlag(ctx context.Context, q host.FlagQuestion) (flag.Explanation, error)
	SetOverride(ctx context.Context, key, tenant string, v any, opts ...flag.WriteOption) error
	DeleteOverride(ctx context.Context, key, tenant string, opts ...flag.WriteOption) error
	RollbackOverride(ctx context.Context, key, tenant string, to int64, opts ...flag.WriteOption) error
	OverrideHistory(ctx context.Context, key, tenant string) ([]*flag.Revision, error)
	Overrides(ctx context.Context, key string) ([]host.TenantValue, error)

	Define(ctx context.Context, f *flag.Definition, opts ...flag.WriteOption) error
	SetEnabled(ctx context.Context, key string, enabled bool, opts ...flag.WriteOption) error
	SetRules(ctx context.Context, key string, rules []*flag.Rule, opts ...flag.WriteOption) error
	Delete(ctx context.Context, key string, opts ...flag.WriteOption) error
	Get(ctx context.Context, key string) (*flag.Definition, []*flag.Rule, error)
	List(ctx context.Context, opts flag.ListOpts) ([]*flag.Definition, error)
	GetVersion(ctx context.Context, key string, n int64) (*flag.Definition, []*flag.Rule, error)
	History(ctx context.Context, key string) ([]*flag.Revision, error)
	Rollback(ctx context.Context, key string, to int64, opts ...flag.WriteOption) (*flag.Definition, error)

	DefineSegment(ctx context.Context, s *flag.Segment, opts ...flag.WriteOption) error
	GetSegment(ctx context.Context, key string) (*flag.Segment, error)
	ListSegments(ctx context.Context, opts flag.ListOpts) ([]*flag.Segment, error)
	DeleteSegment(ctx context.Context, key string, opts ...flag.WriteOption) error
	SegmentHistory(ctx context.Context, key string) ([]*flag.Revision, error)
	RollbackSegment(ctx context.Context, key string, to int64, opts ...flag.WriteOption) (*flag.Segment, error)
}

func (d *Door) flagRoutes() []router.Route {
	const tag, definitions, root = "flags", "flag definitions", "/api/v1/flag-definitions"
	tenant := []router.Param{{Name: "tenant", Doc: "slug; operators name one, a tenant's own when left out"}}
	return []router.Route{
		{Method: http.MethodGet, Path: "/api/v1/flags", Handler: d.evaluateFlags, Action: policy.FlagRead, Tag: tag,
			Summary: "Evaluate every flag for the caller", Answers: FlagValues{}},
		{Method: http.MethodGet, Path: "/api/v1/flags/{key}", Handler: d.evaluateFlag, Action: policy.FlagRead, Tag: tag,
			Summary: "Evaluate a flag for the caller", Answers: flag.Detail{}},
		{Method: http.MethodPost, Path: "/api/v1/flags/{key}/explain", Handler: d.explainFlag, Action: policy.FlagRead, Tag: tag,
			Summary: "Say step by step what a flag is for somebody, and why", Accepts: body(ExplainFlagBody{}), Answers: flag.Explanation{}},
		{Method: http.MethodGet, Path: "/api/v1/flags/{key}/overrides", Handler: d.flagOverrides, Action: policy.FlagRead, Tag: tag,
			Summary: "List the values a flag has for tenants: the caller's own; an operator's, every tenant's", Answers: FlagOverrideList{}},
		{Method: http.MethodPut, Path: "/api/v1/flags/{key}/override", Handler: d.setFlagOverride, Action: policy.FlagOverride, Tag: tag,
			Summary: "Set the value a flag has for one tenant", Params: tenant, Accepts: body(ValueBody{})},
		{Method: http.MethodDelete, Path: "/api/v1/flags/{key}/override", Handler: d.deleteFlagOverride, Action: policy.FlagOverride, Tag: tag,
			Summary: "Remove the value a flag has for one tenant", Params: append(tenant, ifVersion...)},
		{Method: http.MethodGet, Path: "/api/v1/flags/{key}/override/versions", Handler: d.flagOverrideVersions, Action: policy.FlagRead, Tag: tag,
			Summary: "List the versions of the value a flag has for one tenant", Params: tenant, Answers: RevisionList{}},
		{Method: http.MethodPost, Path: "/api/v1/flags/{key}/override/rollback", Handler: d.rollbackFlagOverride, Action: policy.FlagOverride, Tag: tag,
			Summary: "Make the value a flag has for one tenant what it was at a version", Params: tenant, Accepts: body(RollbackBody{})},
		{Method: http.MethodGet, Path: root, Handler: d.listFlags, Action: policy.FlagManage, Tag: definitions,
			Summary: "List the app's flags", Params: pageParams, Answers: FlagList{}},
		{Method: http.MethodPut, Path: root + "/{key}", Handler: d.defineFlag, Action: policy.FlagManage, Tag: definitions,
			Summary: "Create a flag, or change its definition; its rules stay", Accepts: body(FlagBody{}), Answers: flag.Definition{}},
		{Method: http.MethodGet, Path: root + "/{key}", Handler: d.getFlag, Action: policy.FlagManage, Tag: definitions,
			Summary: "Describe a flag with its rules", Params: []router.Param{{Name: "version", Doc: "an earlier version", Integer: true}}, Answers: FlagWithRules{}},
		{Method: http.MethodGet, Path: root + "/{key}/versions", Handler: d.flagVersions, Action: policy.FlagManage, Tag: definitions,
			Summary: "List a flag's versions: what made each, and who", Answers: RevisionList{}},
		{Method: http.MethodPost, Path: root + "/{key}/rollback", Handler: d.rollbackFlag, Action: policy.FlagManage, Tag: definitions,
			Summary: "Make a flag what it was at a version: definition, rules, on or off", Accepts: body(RollbackBody{}), Answers: flag.Definition{}},
		{Method: http.MethodPatch, Path: root + "/{key}", Handler: d.enableFlag, Action: policy.FlagManage, Tag: definitions,
			Summary: "Switch a flag on or off: the next evaluation sees it", Accepts: body(FlagPatch{})},
		{Method: http.MethodPut, Path: root + "/{key}/rules", Handler: d.setFlagRules, Action: policy.FlagManage, Tag: definitions,
			Summary: "Replace a flag's rules", Accepts: body(rulesExample{})},
		{Method: http.MethodDelete, Path: root + "/{key}", Handler: d.deleteFlag, Action: policy.FlagManage, Tag: definitions,
			Summary: "Delete a flag with its rules and every tenant's own value", Params: ifVersion},
	}
}

var ifVersion = []router.Param{{Name: "if_version", Doc: "fail unless this version is current", Integer: true}}

// RevisionList lists versions, oldest first.
type RevisionList struct {
	Versions []*flag.Revision `json:"versions"`
}

// expect is the condition of a write, if there is one.
func expect(version *int64) []flag.WriteOption {
	if version == nil {
		return nil
	}
	return []flag.WriteOption{flag.WithExpectedVersion(*version)}
}

// expectParam is expect for a write without a body.
func expectParam(r *router.Request) ([]flag.WriteOption, error) {
	n, err := versionParam(r, "if_version")
	if n == 0 {
		return nil, err
	}
	return expect(&n), nil
}

// FlagValues is what every flag is for one caller.
type FlagValues struct {
	Flags []flag.Detail `json:"flags"`
}

// ExplainFlagBody says for whom; what is left out is the caller's own.
type ExplainFlagBody struct {
	Tenant     string                  `json:"tenant,omitempty"` // slug; for operators
	User       string                  `json:"user,omitempty"`   // id
	Attributes map[string]router.Value `json:"attributes,omitempty"`
}

// ValueBody is one value.
type ValueBody struct {
	Value     *router.Value `json:"value"`
	IfVersion *int64        `json:"if_version,omitempty"` // fail unless this version is current; 0: unless there is none
}

func (b ValueBody) get() (any, error) {
	if b.Value == nil {
		return nil, missingValue()
	}
	return b.Value.Any, nil
}

func missingValue() error {
	return fault.New(fault.Invalid, "the value is missing").At(fault.Where{Field: "value"})
}

// FlagOverrideList lists values that a flag has for tenants.
type FlagOverrideList struct {
	Overrides []host.TenantValue `json:"overrides"`
}

// FlagList is a page of definitions.
type FlagList struct {
	Flags []*flag.Definition `json:"flags"`
	Next  string             `json:"next,omitempty"`
}

// FlagBody is the definition of a flag.
type FlagBody struct {
	Type           flag.Type          `json:"type"` // bool, string, int, float or json
	DefaultValue   *router.Value      `json:"default_value,omitempty"`
	DefaultVariant string             `json:"default_variant,omitempty"` // in place of default_value: a variant's name
	Description    string             `json:"description,omitempty"`
	Tags           []string           `json:"tags,omitempty"`
	Variants       []FlagVariant      `json:"variants,omitempty"`
	Prerequisites  []FlagPrerequisite `json:"prerequisites,omitempty"`
	Enabled        *bool              `json:"enabled,omitempty"` // true when left out
	Metadata       map[string]string  `json:"metadata,omitempty"`
	IfVersion      *int64             `json:"if_version,omitempty"` // fail unless this version is current; 0: unless there is none
}

// FlagVariant is a value with a name.
type FlagVariant struct {
	Name        string       `json:"name,omitempty"`
	Value       router.Value `json:"value"`
	Description string       `json:"description,omitempty"`
}

// FlagPrerequisite is another flag that must have a value, or a variant.
type FlagPrerequisite struct {
	FlagKey string        `json:"flag_key"`
	Value   *router.Value `json:"value,omitempty"`
	Variant string        `json:"variant,omitempty"`
}

func (b *FlagBody) definition(key string) *flag.Definition {
	d := &flag.Definition{Key: key, Type: b.Type, DefaultValue: anyOf(b.DefaultValue), DefaultVariant: b.DefaultVariant, Description: b.Description,
		Tags: b.Tags, Enabled: b.Enabled == nil || *b.Enabled, Metadata: b.Metadata}
	for _, v := range b.Variants {
		d.Variants = append(d.Variants, flag.Variant{Name: v.Name, Value: v.Value.Any, Description: v.Description})
	}
	for _, p := range b.Prerequisites {
		d.Prerequisites = append(d.Prerequisites, flag.Prerequisite{FlagKey: p.FlagKey, Value: anyOf(p.Value), Variant: p.Variant})
	}
	return d
}

func anyOf(v *router.Value) any {
	if v == nil {
		return nil
	}
	return v.Any
}

// FlagWithRules is a flag whole.
type FlagWithRules struct {
	*flag.Definition
	Rules []*flag.Rule `json:"rules"` // by priority
}

// FlagPatch switches a flag.
type FlagPatch struct {
	Enabled   *bool  `json:"enabled"`
	IfVersion *int64 `json:"if_version,omitempty"` // fail unless this version is current
}

// RulesBody is a flag's rules. They are decoded with every digit of their numbers.
type RulesBody struct {
	Rules     json.RawMessage `json:"rules"`
	IfVersion *int64          `json:"if_version,omitempty"` // fail unless this version of the flag is current
}

// rulesExample describes a RulesBody.
type rulesExample struct {
	Rules     []flag.Rule `json:"rules"`
	IfVersion *int64      `json:"if_version,omitempty"`
}

func (b RulesBody) rules() ([]*flag.Rule, error) {
	if b.Rules == nil {
		return nil, nothing("rules")
	}
	var rules []*flag.Rule
	if err := digits(b.Rules, &rules); err != nil {
		return nil, fault.New(fault.Invalid, "the rules cannot be read: %s", firstLine(err)).At(fault.Where{Field: "rules"}).
			WithHint("a list of objects with type, config and return_value")
	}
	for _, r := range rules {
		if r == nil {
			return nil, fault.New(fault.Invalid, "a rule is null").At(fault.Where{Field: "rules"})
		}
		compare(r.Config.Conditions)
	}
	return rules, nil
}

// compare makes the values of decoded conditions what they are compared with.
func compare(conditions []flag.Condition) {
	for i := range conditions {
		for j, v := range conditions[i].Values {
			conditions[i].Values[j] = amount(v)
		}
	}
}

// amount is a number that conditions compare.
func amount(v any) any {
	v = router.Plain(v)
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	return v
}

func (d *Door) evaluateFlags(ctx context.Context, _ *router.Request) (any, error) {
	list, err := d.Flags.EvaluateAll(ctx)
	if err != nil {
		return nil, err
	}
	return FlagValues{Flags: append([]flag.Detail{}, list...)}, nil
}

func (d *Door) evaluateFlag(ctx context.Context, r *router.Request) (any, error) {
	return answer(d.Flags.Evaluate(ctx, r.PathValue("key")))
}

// answer keeps the value of a failed call from being taken for its answer.
func answer[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (d *Door) explainFlag(ctx context.Context, r *router.Request) (any, error) {
	var b ExplainFlagBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	q := host.FlagQuestion{Key: r.PathValue("key"), Tenant: b.Tenant, User: b.User}
	if b.Attributes != nil {
		q.Attributes = flag.Attributes{}
		for name, v := range b.Attributes {
			q.Attributes[name] = amount(v.Any)
		}
	}
	return answer(d.Flags.ExplainFlag(ctx, q))
}

func (d *Door) flagOverrides(ctx context.Context, r *router.Request) (any, error) {
	list, err := d.Flags.Overrides(ctx, r.PathValue("key"))
	return answer(FlagOverrideList{Overrides: list}, err)
}

func (d *Door) setFlagOverride(ctx context.Context, r *router.Request) (any, error) {
	var b ValueBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	v, err := b.get()
	if err != nil {
		return nil, err
	}
	return nil, d.Flags.SetOverride(ctx, r.PathValue("key"), r.URL.Query().Get("tenant"), v, expect(b.IfVersion)...)
}

func (d *Door) deleteFlagOverride(ctx context.Context, r *router.Request) (any, error) {
	opts, err := expectParam(r)
	if err != nil {
		return nil, err
	}
	return nil, d.Flags.DeleteOverride(ctx, r.PathValue("key"), r.URL.Query().Get("tenant"), opts...)
}

func (d *Door) flagOverrideVersions(ctx context.Context, r *router.Request) (any, error) {
	list, err := d.Flags.OverrideHistory(ctx, r.PathValue("key"), r.URL.Query().Get("tenant"))
	return answer(RevisionList{list}, err)
}

func (d *Door) rollbackFlagOverride(ctx context.Context, r *router.Request) (any, error) {
	b, err := rollbackBody(r)
	if err != nil {
		return nil, err
	}
	return nil, d.Flags.RollbackOverride(ctx, r.PathValue("key"), r.URL.Query().Get("tenant"), b.Version, expect(b.IfVersion)...)
}

func (d *Door) flagVersions(ctx context.Context, r *router.Request) (any, error) {
	list, err := d.Flags.History(ctx, r.PathValue("key"))
	return answer(RevisionList{list}, err)
}

func (d *Door) rollbackFlag(ctx context.Context, r *router.Request) (any, error) {
	b, err := rollbackBody(r)
	if err != nil {
		return nil, err
	}
	return answer(d.Flags.Rollback(ctx, r.PathValue("key"), b.Version, expect(b.IfVersion)...))
}

func (d *Door) listFlags(ctx context.Context, r *router.Request) (any, error) {
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	list, err := d.Flags.List(ctx, flag.ListOpts{Limit: limit, After: r.URL.Query().Get("after")})
	if err != nil {
		return nil, err
	}
	out := FlagList{Flags: append([]*flag.Definition{}, list...)}
	if len(list) == limit {
		out.Next = list[len(list)-1].Key
	}
	return out, nil
}

func (d *Door) defineFlag(ctx context.Context, r *router.Request) (any, error) {
	var b FlagBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	f := b.definition(r.PathValue("key"))
	return answer(f, d.Flags.Define(ctx, f, expect(b.IfVersion)...))
}

func (d *Door) getFlag(ctx context.Context, r *router.Request) (any, error) {
	version, err := versionParam(r, "version")
	if err != nil {
		return nil, err
	}
	if version > 0 {
		f, rules, err := d.Flags.GetVersion(ctx, r.PathValue("key"), version)
		return answer(FlagWithRules{f, append([]*flag.Rule{}, rules...)}, err)
	}
	f, rules, err := d.Flags.Get(ctx, r.PathValue("key"))
	return answer(FlagWithRules{f, append([]*flag.Rule{}, rules...)}, err)
}

func (d *Door) enableFlag(ctx context.Context, r *router.Request) (any, error) {
	var b FlagPatch
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	if b.Enabled == nil {
		return nil, nothing("enabled")
	}
	return nil, d.Flags.SetEnabled(ctx, r.PathValue("key"), *b.Enabled, expect(b.IfVersion)...)
}

func (d *Door) setFlagRules(ctx context.Context, r *router.Request) (any, error) {
	var b RulesBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	rules, err := b.rules()
	if err != nil {
		return nil, err
	}
	return nil, d.Flags.SetRules(ctx, r.PathValue("key"), rules, expect(b.IfVersion)...)
}

func (d *Door) deleteFlag(ctx context.Context, r *router.Request) (any, error) {
	opts, err := expectParam(r)
	if err != nil {
		return nil, err
	}
	return nil, d.Flags.Delete(ctx, r.PathValue("key"), opts...)
}
