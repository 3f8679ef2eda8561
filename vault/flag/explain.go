package flag

import (
	"context"
	"fmt"
	"strings"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
)

// Step is one thing an evaluation looked at.
type Step struct {
	What    string `json:"what"` // enabled, prerequisite, tenant, a type of rule, default
	Flag    string `json:"flag,omitempty"`
	RuleID  id.ID  `json:"rule_id,omitempty"`
	Matched bool   `json:"matched"`
	Says    string `json:"says"` // why, in words
}

// Explanation is a value and the way to it.
type Explanation struct {
	Detail
	Steps []Step `json:"steps"`
}

// trace collects steps. A nil one collects nothing, so that evaluating for a program pays nothing for it.
type trace struct{ steps []Step }

func (t *trace) add(s Step) {
	if t != nil {
		t.steps = append(t.steps, s)
	}
}

// Explain evaluates a flag as [Engine.Detail] does and says step by step what was looked at. It is for people: it is
// slower, and what it says may change.
func (e *Engine) Explain(ctx context.Context, key, appID string) (Explanation, error) {
	return e.explain(ctx, key, appID, "")
}

func (e *Engine) explain(ctx context.Context, key, appID, ownApp string) (Explanation, error) {
	caller, err := who.Of(ctx, appID, ownApp)
	if err != nil {
		return Explanation{Detail: failed(key, err)}, err
	}
	c, err := e.flag(ctx, caller.App, key)
	if err != nil {
		return Explanation{Detail: failed(key, err)}, err
	}
	t := &trace{steps: []Step{}}
	r, err := e.decide(c, &subject{ctx: ctx, caller: &caller}, t)
	if err != nil {
		return Explanation{failed(key, err), t.steps}, err
	}
	if r.layer() == LayerDefault {
		t.add(Step{What: "default", Matched: true, Says: "the flag's default"})
	}
	return Explanation{r.detail(), t.steps}, nil
}

// ExplainOption says for whom [Service.Explain] evaluates.
type ExplainOption func(*scope.Caller)

// ForTenant has the flag explained for another tenant than the caller's, which only an operator may.
func ForTenant(tenantID string) ExplainOption { return func(c *scope.Caller) { c.Tenant = tenantID } }

// ForUser has the flag explained for another user than the caller.
func ForUser(userID string) ExplainOption { return func(c *scope.Caller) { c.User = userID } }

// Explain evaluates a flag as [Engine.Explain] does, for the caller or for whom the options name, with the attributes of the
// context. It asks the gate and writes the record: what it says shows how the flag is made.
func (s *Service) Explain(ctx context.Context, key string, opts ...ExplainOption) (Explanation, error) {
	c, err := who.Of(ctx, "", s.app)
	if err != nil {
		return Explanation{Detail: failed(key, err)}, err
	}
	subject := c
	for _, o := range opts {
		o(&subject)
	}
	foreign := c.Tenant == "" || subject.Tenant != c.Tenant
	_, p, err := s.enter(ctx, "flag.explain", key, foreign, audit.Detail{Key: "tenant", Value: subject.Tenant}, audit.Detail{Key: "user", Value: subject.User})
	if err != nil {
		return Explanation{Detail: failed(key, err)}, err
	}
	out, err := s.engine.explain(scope.WithCaller(ctx, subject), key, c.App, s.app)
	return out, p.EndErr(ctx, err)
}

// says puts into words why a rule matched or did not.
func (e *Engine) says(c *compiled, r *compiledRule, s *subject, matched bool) string {
	is := func(yes, no string) string {
		if matched {
			return yes
		}
		return no
	}
	switch r.kind {
	case RuleWhenTenant:
		return is("the tenant is in the list", "the tenant is not in the list")
	case RuleWhenUser:
		return is("the user is in the list", "the user is not in the list")
	case RuleWhenTenantTag:
		return is("the tenant has the tag", "the tenant does not have the tag")
	case RuleSchedule:
		return is("now is inside the schedule", "now is outside the schedule")
	case RuleCustom:
		return is("the evaluator "+r.evaluator+" said yes", "the evaluator "+r.evaluator+" said no")
	case RuleSegment:
		return r.segmentSays(s)
	}
	return r.rolloutSays(c.key, s.caller)
}

func (r *compiledRule) segmentSays(s *subject) string {
	for i := range r.conditions {
		c := &r.conditions[i]
		_, there := s.attribute(c.Attribute)
		switch {
		case c.match(s):
		case c.segments != nil && c.Negate:
			return "the caller is in the segment " + c.in(s)
		case c.segments != nil:
			return "the caller is in none of the segments " + c.names()
		case !there:
			return fmt.Sprintf("the caller has no attribute %s", c.Attribute)
		default:
			return fmt.Sprintf("condition %d on %s does not hold", i+1, c.Attribute)
		}
	}
	return "all conditions hold"
}

// names lists the segments of a condition.
func (c *compiledCondition) names() string {
	names := make([]string, len(c.segments))
	for i, seg := range c.segments {
		names[i] = seg.key
	}
	return strings.Join(names, ", ")
}

// in is the first of the condition's segments that the caller is in.
func (c *compiledCondition) in(s *subject) string {
	for _, seg := range c.segments {
		if seg.holds(s) {
			return seg.key
		}
	}
	return ""
}

func (r *compiledRule) rolloutSays(key string, c *scope.Caller) string {
	unit := r.unitOf(c)
	switch {
	case unit == "":
		return fmt.Sprintf("the caller has no %s to place", r.unit)
	case r.prefix == nil:
		return fmt.Sprintf("the tenant is in bucket %d of 100, the rollout takes those below %d", Bucket(unit, key), r.percent)
	case r.kind == RuleSplit:
		return fmt.Sprintf("the %s is at %d of %d", r.unit, place(r.prefix, unit, whole), whole)
	}
	return fmt.Sprintf("the %s is at %d of %d, the rollout takes those below %d", r.unit, place(r.prefix, unit, whole), whole, r.share)
}

func prereqSays(why cause, ok bool) string {
	switch {
	case ok:
		return "it has the value that is needed"
	case why == bySwitch:
		return "it is off"
	}
	return "it has another value than is needed"
}
