package flag

import (
	"time"

	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
)

// RuleType says what a rule looks at.
type RuleType string

// The types of rules.
const (
	RuleWhenTenant    RuleType = "when_tenant"
	RuleWhenTenantTag RuleType = "when_tenant_tag"
	RuleWhenUser      RuleType = "when_user"
	RuleRollout       RuleType = "rollout"
	RuleSchedule      RuleType = "schedule"
	RuleCustom        RuleType = "custom"
	RuleSegment       RuleType = "segment" // conditions on attributes
	RuleSplit         RuleType = "split"   // variants by weight
)

// Rule gives a flag a value when it matches.
type Rule struct {
	base.Entity
	ID            id.ID      `json:"id"`
	FlagKey       string     `json:"flag_key,omitempty"`
	AppID         string     `json:"app_id,omitempty"`
	Priority      int        `json:"priority"` // low first; equal ones in the order given
	Type          RuleType   `json:"type"`
	Config        RuleConfig `json:"config"`
	ReturnValue   any        `json:"return_value,omitempty"`
	ReturnVariant string     `json:"return_variant,omitempty"` // in place of ReturnValue: the name of a variant
	Description   string     `json:"description,omitempty"`
}

// RuleConfig is what a rule compares with; which fields count depends on the type.
type RuleConfig struct {
	TenantIDs []string `json:"tenant_ids,omitempty"` // when_tenant

	TagKey   string `json:"tag_key,omitempty"` // when_tenant_tag
	TagValue string `json:"tag_value,omitempty"`

	UserIDs []string `json:"user_ids,omitempty"` // when_user

	Percentage  int    `json:"percentage,omitempty"`  // rollout: 0 to 100, by the documented hash
	Thousandths int    `json:"thousandths,omitempty"` // rollout with a salt: 0 to 100000 thousandths of a percent
	Salt        string `json:"salt,omitempty"`        // rollout, split: switches to the salted hash
	StickTo     Unit   `json:"stick_to,omitempty"`    // rollout with a salt, split: "tenant" (default) or "user"

	StartAt *time.Time `json:"start_at,omitempty"` // schedule: from this moment on; nil always was
	EndAt   *time.Time `json:"end_at,omitempty"`   // schedule: until before this moment; nil never ends

	Evaluator string         `json:"evaluator,omitempty"` // custom: the name given to WithEvaluator
	Params    map[string]any `json:"params,omitempty"`

	Conditions []Condition `json:"conditions,omitempty"` // segment: all must hold; in_segment names one that is kept apart

	Distribution []Weight `json:"distribution,omitempty"` // split
}

// Unit is what a salted hash keeps together.
type Unit string

// The units.
const (
	ByTenant Unit = "tenant" // all users of a tenant see the same
	ByUser   Unit = "user"   // a user sees the same in every tenant
)

// Weight is one variant's share of a split. Weights are relative to their sum.
type Weight struct {
	Variant string `json:"variant"`
	Weight  int    `json:"weight"`
}

// TenantOverride is the value a flag has for one tenant.
type TenantOverride struct {
	base.Entity
	ID       id.ID  `json:"id"`
	FlagKey  string `json:"flag_key"`
	AppID    string `json:"app_id"`
	TenantID string `json:"tenant_id"`
	Value    any    `json:"value"`
	Version  int64  `json:"version"` // rises with each write; not an input
}

func newRule(t RuleType, c RuleConfig) *Rule {
	return &Rule{Entity: base.NewEntity(), ID: id.New(id.Rule), Type: t, Config: c}
}

// WhenTenant matches the tenants with these ids.
func WhenTenant(tenantIDs ...string) *Rule {
	return newRule(RuleWhenTenant, RuleConfig{TenantIDs: tenantIDs})
}

// WhenTenantTag matches tenants that carry a tag with this value, see [WithTenantTags].
func WhenTenantTag(key, value string) *Rule {
	return newRule(RuleWhenTenantTag, RuleConfig{TagKey: key, TagValue: value})
}

// WhenUser matches the users with these ids.
func WhenUser(userIDs ...string) *Rule { return newRule(RuleWhenUser, RuleConfig{UserIDs: userIDs}) }

// Rollout matches a percentage of the tenants, 0 to 100, by the documented hash of tenant and flag key.
func Rollout(percentage int) *Rule {
	return newRule(RuleRollout, RuleConfig{Percentage: percentage})
}

// SaltedRollout matches a percentage of the tenants, or with [Rule.Stick] of the users, in steps of 0.001, 0 to 100. Two
// flags, apps or salts have nothing to do with each other; a rising percentage keeps those who were in. An empty salt
// stands for the flag's key.
func SaltedRollout(percent float64, salt string) *Rule {
	n := -1 // refused when it is stored
	if percent >= 0 && percent <= 100 {
		if t := percent * 1000; t-float64(int(t+0.5)) < 1e-6 && float64(int(t+0.5))-t < 1e-6 {
			n = int(t + 0.5)
		}
	}
	return newRule(RuleRollout, RuleConfig{Thousandths: n, Salt: salt, StickTo: ByTenant})
}

// Split gives each unit one of several variants, by weight.
func Split(salt string, shares ...Weight) *Rule {
	return newRule(RuleSplit, RuleConfig{Salt: salt, StickTo: ByTenant, Distribution: shares})
}

// Schedule matches from start on and before end. A zero time is open.
func Schedule(start, end time.Time) *Rule {
	return newRule(RuleSchedule, RuleConfig{StartAt: moment(start), EndAt: moment(end)})
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Custom matches when the evaluator of that name says so, see [WithEvaluator].
func Custom(evaluator string, params map[string]any) *Rule {
	return newRule(RuleCustom, RuleConfig{Evaluator: evaluator, Params: params})
}

// WhenSegment matches who is in one of the segments, see [Segment].
func WhenSegment(keys ...string) *Rule { return When(InSegment(keys...)) }

// When matches when all conditions hold.
func When(conditions ...Condition) *Rule {
	return newRule(RuleSegment, RuleConfig{Conditions: conditions})
}

// Return sets the value of the flag when the rule matches.
func (r *Rule) Return(value any) *Rule {
	r.ReturnValue = value
	return r
}

// ReturnNamed sets the variant of the flag when the rule matches.
func (r *Rule) ReturnNamed(variant string) *Rule {
	r.ReturnVariant = variant
	return r
}

// WithPriority sets when the rule is tried: low first.
func (r *Rule) WithPriority(n int) *Rule {
	r.Priority = n
	return r
}

// Stick sets what a salted hash keeps together.
func (r *Rule) Stick(u Unit) *Rule {
	r.Config.StickTo = u
	return r
}
