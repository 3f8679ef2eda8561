package flag

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/scope"
)

// result is what an evaluation found. It points into the compiled flag and allocates nothing.
type result struct {
	flag *compiled
	out  *output
	rule *compiledRule // that decided; nil
	why  cause
}

// cause is what decided.
type cause uint8

const (
	byDefault cause = iota
	byUnmet         // a prerequisite did not hold
	bySwitch        // the flag is off
	byTenant        // the tenant's own value
	byRule
)

func (r *result) reason() Reason {
	switch r.why {
	case bySwitch:
		return ReasonDisabled
	case byUnmet:
		return ReasonDefault
	case byTenant:
		return ReasonMatch
	case byRule:
		return r.rule.reason
	}
	return r.flag.plain
}

func (r *result) layer() string {
	switch r.why {
	case byTenant:
		return LayerTenant
	case byRule:
		return LayerRule
	}
	return LayerDefault
}

// Evaluate returns the value of a flag for the caller in the context's scope. An empty appID means the app in scope. It
// fails with vault.ErrFlagNotFound, or when a rule could not be evaluated; there is no falling back to a default here.
func (e *Engine) Evaluate(ctx context.Context, key, appID string) (any, error) {
	r, err := e.evaluate(ctx, key, appID, "")
	if err != nil {
		return nil, err
	}
	return r.out.any(), nil
}

// Detail is [Engine.Evaluate] with everything there is to say: variant, reason, rule. After an error its reason is ERROR
// and it has a code; the error is returned as well.
func (e *Engine) Detail(ctx context.Context, key, appID string) (Detail, error) {
	return e.detail(ctx, key, appID, "")
}

func (e *Engine) detail(ctx context.Context, key, appID, ownApp string) (Detail, error) {
	r, err := e.evaluate(ctx, key, appID, ownApp)
	if err != nil {
		return failed(key, err), err
	}
	return r.detail(), nil
}

func (r *result) detail() Detail {
	d := Detail{Key: r.flag.key, Value: r.out.any(), Variant: r.out.variant, Reason: r.reason(), Layer: r.layer(), Version: r.flag.version,
		flag: r.flag}
	if r.rule != nil {
		d.RuleID = r.rule.id
	}
	return d
}

// EvaluateAll evaluates every flag of an app for the caller, by key. A flag that cannot be evaluated is in the list with
// its error; the error returned is that of the list itself.
func (e *Engine) EvaluateAll(ctx context.Context, appID string) ([]Detail, error) {
	return e.all(ctx, appID, "")
}

func (e *Engine) all(ctx context.Context, appID, ownApp string) ([]Detail, error) {
	c, err := who.Of(ctx, appID, ownApp)
	if err != nil {
		return nil, err
	}
	var out []Detail
	asApp := scope.WithCaller(ctx, scope.Caller{App: c.App})
	for after := ""; ; {
		page, err := e.store.ListFlagDefinitions(asApp, c.App, ListOpts{Limit: maxPage, After: after})
		if err != nil {
			return nil, who.Unread(err, "list of flags of", c.App)
		}
		for _, d := range page {
			after = d.Key
			detail, _ := e.detail(ctx, d.Key, c.App, ownApp)
			out = append(out, detail)
		}
		if len(page) < maxPage {
			return out, nil
		}
	}
}

func (e *Engine) evaluate(ctx context.Context, key, appID, ownApp string) (result, error) {
	if e.metrics != nil {
		return e.measured(ctx, key, appID, ownApp)
	}
	return e.unmeasured(ctx, key, appID, ownApp)
}

// measured is evaluate for an engine with metrics: reading the clock costs as much as an evaluation.
func (e *Engine) measured(ctx context.Context, key, appID, ownApp string) (result, error) {
	e.metrics.FlagEvaluated.Inc()
	if rand.Uint32()%64 != 0 {
		return e.unmeasured(ctx, key, appID, ownApp)
	}
	begun := time.Now()
	r, err := e.unmeasured(ctx, key, appID, ownApp)
	e.metrics.FlagEvalTime.Observe(time.Since(begun).Seconds())
	return r, err
}

func (e *Engine) unmeasured(ctx context.Context, key, appID, ownApp string) (result, error) {
	caller, err := who.Borrow(ctx, appID, ownApp)
	if err != nil {
		return result{}, err
	}
	c, err := e.flag(ctx, caller.App, key)
	if err != nil {
		return result{}, err
	}
	s := subject{ctx: ctx, caller: caller}
	return e.decide(c, &s, nil)
}

// decide is the order of evaluation. t, if not nil, collects what was looked at.
func (e *Engine) decide(c *compiled, s *subject, t *trace) (result, error) {
	if !c.enabled {
		t.add(Step{What: "enabled", Says: "the flag is off"})
		return result{c, c.def, nil, bySwitch}, nil
	}
	if len(c.prereqs) > 0 {
		if ok, err := e.prerequisites(c, s, t); err != nil || !ok {
			return result{c, c.def, nil, byUnmet}, err
		}
	}
	if c.overrides != nil && s.caller.Tenant != "" {
		if out := c.overrides[s.caller.Tenant]; out != nil {
			t.add(Step{What: "tenant", Matched: true, Says: "the tenant has a value of its own"})
			return result{c, out, nil, byTenant}, nil
		}
	}
	for i := range c.rules {
		r := &c.rules[i]
		out, err := e.match(c, r, s)
		if err != nil {
			return result{}, err
		}
		if t != nil {
			t.add(Step{What: string(r.kind), RuleID: r.id, Matched: out != nil, Says: e.says(c, r, s, out != nil)})
		}
		if out != nil {
			return result{c, out, r, byRule}, nil
		}
	}
	return result{c, c.def, nil, byDefault}, nil
}

// match returns the output of a rule that matches, else nil.
func (e *Engine) match(c *compiled, r *compiledRule, s *subject) (*output, error) {
	matched := false
	switch r.op {
	case opTenant:
		matched = s.caller.Tenant != "" && r.ids.has(s.caller.Tenant)
	case opUser:
		matched = s.caller.User != "" && r.ids.has(s.caller.User)
	case opRollout:
		matched = e.rolledOut(c.key, r, s.caller)
	case opSplit:
		return e.pick(c.key, r, s.caller), nil
	case opSchedule:
		now := e.now()
		matched = !now.Before(r.from) && (r.to.IsZero() || now.Before(r.to))
	case opSegment:
		matched = r.segment(s)
	case opTag:
		var err error
		if matched, err = e.tagged(r, s); err != nil {
			return nil, err
		}
	case opCustom:
		var err error
		if matched, err = e.custom(c, r, s); err != nil {
			return nil, err
		}
	}
	if matched {
		return r.out, nil
	}
	return nil, nil
}

// unitOf is what a rollout keeps together, or "" if the caller has none: then it does not match.
func (r *compiledRule) unitOf(c *scope.Caller) string {
	if r.unit == ByUser {
		return c.User
	}
	return c.Tenant
}

// place returns where a rule's hash puts a unit: of 100, or with a salt of [whole].
func (e *Engine) place(key string, r *compiledRule, unit string) int {
	if n, ok := e.buckets.get(r.serial, unit); ok {
		return n
	}
	n := 0
	if r.prefix != nil {
		n = place(r.prefix, unit, whole)
	} else {
		n = Bucket(unit, key)
	}
	e.buckets.put(r.serial, unit, n)
	return n
}

func (e *Engine) rolledOut(key string, r *compiledRule, c *scope.Caller) bool {
	unit := r.unitOf(c)
	switch {
	case unit == "":
		return false
	case r.prefix != nil:
		return r.share >= whole || r.share > 0 && e.place(key, r, unit) < r.share
	}
	return r.percent >= 100 || r.percent > 0 && e.place(key, r, unit) < r.percent
}

func (e *Engine) pick(key string, r *compiledRule, c *scope.Caller) *output {
	unit := r.unitOf(c)
	if unit == "" {
		return nil
	}
	n := e.place(key, r, unit)
	for i := range r.shares {
		if n < r.shares[i].below {
			return r.shares[i].out
		}
	}
	return nil
}

func (r *compiledRule) segment(s *subject) bool {
	for i := range r.conditions {
		if !r.conditions[i].match(s) {
			return false
		}
	}
	return true
}

func (e *Engine) tagged(r *compiledRule, s *subject) (bool, error) {
	if s.caller.Tenant == "" {
		return false, nil
	}
	tags, given := s.ctx.Value(tagsKey{}).(map[string]string)
	if !given {
		if e.tags == nil {
			return false, fault.New(fault.Invalid, "a rule asks for the tenant's tag %s, and nobody knows tags", audit.Display(r.tag)).
				WithHint("give the engine a source with flag.WithTenantTags, or the context tags with flag.WithTags")
		}
		var err error
		if tags, err = e.tags(s.ctx, s.caller.App, s.caller.Tenant); err != nil {
			return false, who.Unread(err, "tags of the tenant", s.caller.Tenant)
		}
	}
	v, ok := tags[r.tag]
	return ok && v == r.value, nil
}

func (e *Engine) custom(c *compiled, r *compiledRule, s *subject) (ok bool, err error) {
	fn := e.evaluators[r.evaluator]
	if fn == nil && e.more != nil {
		fn = e.more(r.evaluator)
	}
	if fn == nil {
		return false, fault.New(fault.Invalid, "a rule asks for the evaluator %s, which this program does not have", audit.Display(r.evaluator)).
			WithHint("add it with flag.WithEvaluator")
	}
	defer func() {
		if p := recover(); p != nil {
			ok, err = false, fault.Wrap(fault.Internal, who.Quiet(fmt.Errorf("panic: %v", p)), "the evaluator %s panicked", audit.Display(r.evaluator))
		}
	}()
	target := Target{App: s.caller.App, Tenant: s.caller.Tenant, User: s.caller.User, IP: s.caller.IP, Attributes: s.attributes(), FlagKey: c.key}
	params, _ := typed.Clone(r.params).(map[string]any)
	if ok, err = fn(s.ctx, target, params); err != nil {
		err = fault.Wrap(fault.Failed, who.Quiet(err), "the evaluator %s failed", audit.Display(r.evaluator))
	}
	return ok, err
}

// maxNesting bounds how deep an evaluation follows prerequisites; what is stored is checked to be shallower.
const maxNesting = 64

func (e *Engine) prerequisites(c *compiled, s *subject, t *trace) (bool, error) {
	if s.depth >= maxNesting {
		return false, fault.New(fault.Invalid, "the prerequisites of the flag %s go round in a circle", c.key).WithCode(codeParse)
	}
	s.depth++
	defer func() { s.depth-- }()
	for i := range c.prereqs {
		p := &c.prereqs[i]
		other, err := e.flag(s.ctx, s.caller.App, p.key)
		if err != nil {
			return false, err
		}
		r, err := e.decide(other, s, nil)
		if err != nil {
			return false, err
		}
		ok := r.why != bySwitch && p.holds(r.out)
		t.add(Step{What: "prerequisite", Flag: p.key, Matched: ok, Says: prereqSays(r.why, ok)})
		if !ok {
			return false, nil
		}
	}
	return true, nil
}

func (p *prereq) holds(o *output) bool {
	if p.variant != "" {
		return o.variant == p.variant
	}
	return typed.Equal(o.value, p.want)
}
