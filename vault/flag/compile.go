package flag

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/internal/typed"
)

// compiled is a flag ready to be evaluated. It is immutable and shared by all callers.
type compiled struct {
	key       string
	typ       Type
	enabled   bool
	version   int64
	app       string
	metadata  map[string]string // nobody changes it
	def       *output
	prereqs   []prereq
	overrides map[string]*output // by tenant
	rules     []compiledRule
	plain     Reason // when nothing matched
	err       error  // the flag cannot be evaluated, or there is none
	loadedAt  time.Time
}

// output is a value that a flag can have.
type output struct {
	value   any
	variant string
	mutable bool // must be cloned for each caller
}

func (o *output) any() any {
	if o.mutable {
		return typed.Clone(o.value)
	}
	return o.value
}

type prereq struct {
	key     string
	want    any
	variant string
}

type compiledRule struct {
	op         op // kind, for a switch that is quick
	serial     uint64
	kind       RuleType
	id         id.ID
	out        *output
	reason     Reason
	ids        idSet
	tag, value string
	percent    int                 // rollout by the documented hash
	share      int                 // rollout by the salted hash
	prefix     []byte              // of the salted hash; nil: the documented one
	unit       Unit                //
	from, to   time.Time           // zero is open
	evaluator  string              //
	params     map[string]any      //
	conditions []compiledCondition //
	shares     []splitShare        //
}

type op uint8

const (
	opTenant op = iota
	opTag
	opUser
	opRollout
	opSchedule
	opCustom
	opSegment
	opSplit
)

var ops = map[RuleType]op{RuleWhenTenant: opTenant, RuleWhenTenantTag: opTag, RuleWhenUser: opUser, RuleRollout: opRollout,
	RuleSchedule: opSchedule, RuleCustom: opCustom, RuleSegment: opSegment, RuleSplit: opSplit}

type splitShare struct {
	below int // of whole
	out   *output
}

// idSet is a list for a few ids and a map for many.
type idSet struct {
	few  []string
	many map[string]struct{}
}

func newIDSet(ids []string) idSet {
	if len(ids) <= 8 {
		return idSet{few: slices.Clone(ids)}
	}
	s := idSet{many: make(map[string]struct{}, len(ids))}
	for _, v := range ids {
		s.many[v] = struct{}{}
	}
	return s
}

func (s *idSet) has(v string) bool {
	for _, have := range s.few {
		if have == v {
			return true
		}
	}
	if s.many == nil {
		return false
	}
	_, ok := s.many[v]
	return ok
}

// compile checks a flag with everything that belongs to it, and prepares it for evaluation.
func compile(app string, d *Definition, rules []*Rule, overrides []*TenantOverride, segments segmentSource) (*compiled, error) {
	if err := CheckKey(d.Key); err != nil {
		return nil, err
	}
	variants, err := d.variants()
	if err != nil {
		return nil, err
	}
	c := &compiled{key: d.Key, typ: d.Type, enabled: d.Enabled, version: d.Version, plain: ReasonDefault, app: app, metadata: d.Metadata}
	o := outputs{d.Type, variants}
	if c.def, err = o.of(d.DefaultValue, d.DefaultVariant, "default_value"); err != nil {
		return nil, err
	}
	if c.prereqs, err = compilePrereqs(d); err != nil {
		return nil, err
	}
	if c.rules, err = compileRules(app, d, rules, o, newSegmentCompiler(segments)); err != nil {
		return nil, err
	}
	if len(overrides) > 0 {
		c.overrides = make(map[string]*output, len(overrides))
	}
	for _, ovr := range overrides {
		if c.overrides[ovr.TenantID], err = o.of(ovr.Value, "", "value"); err != nil {
			return nil, err
		}
	}
	if len(rules)+len(d.Prerequisites) == 0 { // whatever other tenants set for themselves: a reason must not tell of it
		c.plain = ReasonStatic
	}
	return c, nil
}

// outputs makes outputs of one flag.
type outputs struct {
	typ      Type
	variants []Variant
}

// of returns the named variant, or a value; a value that equals a variant's has that variant's name.
func (o outputs) of(v any, variant, where string) (*output, error) {
	if variant != "" {
		i := slices.IndexFunc(o.variants, func(have Variant) bool { return have.Name == variant })
		if i < 0 || v != nil {
			return nil, fault.New(fault.Invalid, "the flag has no variant %q, or a value is named beside it", audit.Display(variant)).
				At(fault.Where{Field: where}).WithHint("name one of the flag's variants, or give a value")
		}
		v = o.variants[i].Value
	}
	v, err := o.typ.cast(v, where)
	if err != nil {
		return nil, err
	}
	out := &output{value: v, variant: variant, mutable: typed.Mutable(v)}
	for _, have := range o.variants {
		if out.variant == "" && typed.Equal(have.Value, v) {
			out.variant = have.Name
		}
	}
	return out, nil
}

func compilePrereqs(d *Definition) ([]prereq, error) {
	if len(d.Prerequisites) > maxPrerequisites {
		return nil, fault.New(fault.TooLarge, "a flag has at most %d prerequisites", maxPrerequisites).At(fault.Where{Field: "prerequisites"})
	}
	out := make([]prereq, len(d.Prerequisites))
	for i, p := range d.Prerequisites {
		where := fault.Where{Field: "prerequisites[" + strconv.Itoa(i) + "]"}
		switch {
		case CheckKey(p.FlagKey) != nil:
			return nil, fault.New(fault.Invalid, "a prerequisite names no flag").At(where)
		case p.FlagKey == d.Key:
			return nil, fault.New(fault.Invalid, "the flag %s is a prerequisite of itself", d.Key).At(where)
		case p.Variant != "" && p.Value != nil:
			return nil, fault.New(fault.Invalid, "a prerequisite names both a value and a variant").At(where)
		}
		e, err := typed.Encode(p.Value)
		if err != nil {
			return nil, fault.From(err).At(where)
		}
		want, err := typed.Decode(e)
		if err != nil {
			return nil, err
		}
		if want == nil && p.Variant == "" {
			want = true
		}
		out[i] = prereq{p.FlagKey, want, p.Variant}
	}
	return out, nil
}

func compileRules(app string, d *Definition, rules []*Rule, o outputs, segments *segmentCompiler) ([]compiledRule, error) {
	if len(rules) > maxRules {
		return nil, fault.New(fault.TooLarge, "a flag has at most %d rules", maxRules).At(fault.Where{Field: "rules"})
	}
	out := make([]compiledRule, 0, len(rules))
	for i, r := range inOrder(rules) {
		where := "rules[" + strconv.Itoa(i) + "]"
		if r == nil {
			return nil, fault.New(fault.Invalid, "a rule is missing").At(fault.Where{Field: where})
		}
		c := compiledRule{op: ops[r.Type], kind: r.Type, id: r.ID, reason: ReasonMatch}
		if err := c.compile(app, d.Key, r, o, segments, where); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// inOrder returns the rules by priority, equal ones in the order given.
func inOrder(rules []*Rule) []*Rule {
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b *Rule) int {
		if a == nil || b == nil {
			return 0
		}
		return cmp.Compare(a.Priority, b.Priority)
	})
	return sorted
}

func (c *compiledRule) compile(app, key string, r *Rule, o outputs, segments *segmentCompiler, where string) (err error) {
	if r.Type != RuleSplit {
		if c.out, err = o.of(r.ReturnValue, r.ReturnVariant, where+".return_value"); err != nil {
			return err
		}
	} else if r.ReturnValue != nil || r.ReturnVariant != "" {
		return ruleError(where, "a split returns the variants of its distribution, and nothing else")
	}
	if err := onlyOwnFields(r.Type, r.Config); err != "" {
		return ruleError(where+".config", "%s", err)
	}
	switch r.Type {
	case RuleWhenTenant:
		c.ids, err = ids(r.Config.TenantIDs, where+".config.tenant_ids", "tenant")
	case RuleWhenUser:
		c.ids, err = ids(r.Config.UserIDs, where+".config.user_ids", "user")
	case RuleWhenTenantTag:
		if c.tag, c.value = r.Config.TagKey, r.Config.TagValue; c.tag == "" {
			err = ruleError(where+".config.tag_key", "the rule names no tag")
		}
	case RuleRollout:
		err = c.rollout(app, key, r.Config, where+".config")
	case RuleSplit:
		err = c.split(app, key, r.Config, o, where+".config")
	case RuleSchedule:
		err = c.schedule(r.Config, where+".config")
	case RuleCustom:
		err = c.custom(r.Config, where+".config")
	case RuleSegment:
		c.conditions, err = compileConditions(r.Config.Conditions, where+".config.conditions", segments)
	default:
		err = fault.New(fault.Invalid, "there is no type of rule %q", string(r.Type)).At(fault.Where{Field: where + ".type"}).
			WithHint("one of when_tenant, when_tenant_tag, when_user, rollout, schedule, custom, segment, split")
	}
	return err
}

func ruleError(where, format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: where})
}

// onlyOwnFields refuses settings that the rule's type does not look at: who wrote them meant something.
func onlyOwnFields(t RuleType, c RuleConfig) string {
	for _, f := range [...]struct {
		set   bool
		types []RuleType
		name  string
	}{
		{c.TenantIDs != nil, []RuleType{RuleWhenTenant}, "tenant_ids"},
		{c.TagKey != "" || c.TagValue != "", []RuleType{RuleWhenTenantTag}, "tag_key and tag_value"},
		{c.UserIDs != nil, []RuleType{RuleWhenUser}, "user_ids"},
		{c.Percentage != 0 || c.Thousandths != 0, []RuleType{RuleRollout}, "percentage and thousandths"},
		{c.Salt != "" || c.StickTo != "", []RuleType{RuleRollout, RuleSplit}, "salt and stick_to"},
		{c.StartAt != nil || c.EndAt != nil, []RuleType{RuleSchedule}, "start_at and end_at"},
		{c.Evaluator != "" || c.Params != nil, []RuleType{RuleCustom}, "evaluator and params"},
		{c.Conditions != nil, []RuleType{RuleSegment}, "conditions"},
		{c.Distribution != nil, []RuleType{RuleSplit}, "distribution"},
	} {
		if f.set && !slices.Contains(f.types, t) {
			return "a rule of the type " + string(t) + " has no " + f.name
		}
	}
	return ""
}

func ids(list []string, where, what string) (idSet, error) {
	if len(list) == 0 || len(list) > maxItems || slices.Contains(list, "") {
		return idSet{}, fault.New(fault.Invalid, "the rule names 1 to %d %ss, none of them empty", maxItems, what).At(fault.Where{Field: where})
	}
	return newIDSet(list), nil
}

// rollout takes the documented hash for a percentage alone, and the salted one as soon as anything else is set.
func (c *compiledRule) rollout(app, key string, cfg RuleConfig, where string) error {
	c.reason, c.unit, c.percent = ReasonSplit, ByTenant, cfg.Percentage
	salted := cfg.Thousandths != 0 || cfg.Salt != "" || cfg.StickTo != ""
	switch {
	case cfg.Percentage < 0 || cfg.Percentage > 100:
		return fault.New(fault.Invalid, "a rollout is 0 to 100 percent, not %d", cfg.Percentage).At(fault.Where{Field: where + ".percentage"})
	case !salted:
		return nil
	case cfg.Percentage != 0:
		return fault.New(fault.Invalid, "a salted rollout has thousandths of a percent in place of a percentage").
			At(fault.Where{Field: where + ".percentage"}).WithHint("write thousandths: %d", cfg.Percentage*1000)
	case cfg.Thousandths < 0 || cfg.Thousandths > whole:
		return fault.New(fault.Invalid, "a salted rollout is 0 to 100 percent in steps of 0.001").At(fault.Where{Field: where + ".thousandths"})
	}
	c.share = cfg.Thousandths
	return c.salted(app, key, cfg, where)
}

func (c *compiledRule) salted(app, key string, cfg RuleConfig, where string) error {
	c.unit = cmp.Or(cfg.StickTo, ByTenant)
	if c.unit != ByTenant && c.unit != ByUser {
		return fault.New(fault.Invalid, "a rollout sticks to a tenant or a user, not to %q", string(c.unit)).
			At(fault.Where{Field: where + ".stick_to"})
	}
	if len(cfg.Salt) > 128 {
		return fault.New(fault.TooLarge, "a salt has at most 128 bytes").At(fault.Where{Field: where + ".salt"})
	}
	c.prefix = prefix(cfg.Salt, app, key, c.unit)
	return nil
}

func (c *compiledRule) split(app, key string, cfg RuleConfig, o outputs, where string) error {
	c.reason = ReasonSplit
	if len(cfg.Distribution) == 0 || len(cfg.Distribution) > maxVariants {
		return ruleError(where+".distribution", "a split has 1 to %d shares", maxVariants)
	}
	sum := 0
	for _, w := range cfg.Distribution {
		if w.Weight < 0 || w.Weight > 1_000_000_000 {
			return ruleError(where+".distribution", "a weight is 0 to 1000000000, not %d", w.Weight)
		}
		sum += w.Weight
	}
	if sum == 0 {
		return ruleError(where+".distribution", "the weights add up to nothing")
	}
	upTo := 0
	for _, w := range cfg.Distribution {
		if w.Variant == "" {
			return ruleError(where+".distribution", "a share names no variant")
		}
		out, err := o.of(nil, w.Variant, where+".distribution")
		if err != nil {
			return err
		}
		upTo += w.Weight
		c.shares = append(c.shares, splitShare{int(int64(upTo) * whole / int64(sum)), out})
	}
	return c.salted(app, key, cfg, where)
}

func (c *compiledRule) schedule(cfg RuleConfig, where string) error {
	if cfg.StartAt != nil {
		c.from = *cfg.StartAt
	}
	if cfg.EndAt != nil {
		c.to = *cfg.EndAt
	}
	switch {
	case c.from.IsZero() && c.to.IsZero():
		return ruleError(where, "a schedule has a start, an end or both")
	case !c.to.IsZero() && !c.from.Before(c.to):
		return ruleError(where+".end_at", "the schedule ends before it starts")
	}
	return nil
}

func (c *compiledRule) custom(cfg RuleConfig, where string) error {
	if cfg.Evaluator == "" {
		return ruleError(where+".evaluator", "the rule names no evaluator")
	}
	c.evaluator = cfg.Evaluator
	e, err := typed.Encode(cfg.Params)
	if err != nil {
		return fault.From(err).At(fault.Where{Field: where + ".params"})
	}
	v, err := typed.Decode(e)
	c.params, _ = v.(map[string]any)
	return err
}

// unreadable is the error of a flag whose stored form does not compile: the store checks, so somebody else wrote it.
func unreadable(key string, err error) error {
	return fault.Wrap(fault.Internal, err, "the flag %s cannot be evaluated: %s", audit.Display(key), fault.From(err).Message).WithCode(codeParse).
		WithHint("write its definition and rules again")
}

func notFound(key string) error {
	return fault.Wrap(fault.NotFound, base.ErrFlagNotFound, "there is no flag %s", audit.Display(key)).WithCode("FlagNotFound")
}
