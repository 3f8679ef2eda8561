package filter

import (
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Policy says how a retriever's own filters and those of one run go together
// (haystack.document_stores.types.FilterPolicy).
type Policy string

// The policies.
const (
	Replace Policy = "replace" // those of the run, if there are any
	Merge   Policy = "merge"   // both, where that means something; else those of the run
)

// ParsePolicy reads a policy's name, in any case.
func ParsePolicy(s string) (Policy, error) {
	switch p := Policy(strings.ToLower(s)); p {
	case Replace, Merge:
		return p, nil
	}
	return "", fault.New(fault.Invalid, "Unknown FilterPolicy type '%s'. Supported types are: ['replace', 'merge']", s).WithCode("ValueError")
}

// Apply returns the filters of one run: own are the retriever's, run those it was called with. Nothing is changed.
// ignored is a sentence for the log when a merge had to drop the retriever's own; it is empty otherwise.
func (p Policy) Apply(own, run *value.Dict) (filters *value.Dict, ignored string) {
	switch {
	case run.Len() == 0:
		return own, ""
	case p != Merge || own.Len() == 0:
		return run, ""
	}
	switch {
	case isComparison(own) && isComparison(run):
		return mergeComparisons(own, run)
	case isComparison(own) && isLogic(run):
		return addComparison(run, own, run)
	case isLogic(own) && isComparison(run):
		return addComparison(own, run, run)
	case isLogic(own) && isLogic(run):
		return mergeLogic(own, run)
	}
	return run, ""
}

func has(d *value.Dict, keys ...string) bool {
	for _, k := range keys {
		if _, ok := d.Get(k); !ok {
			return false
		}
	}
	return true
}

func isComparison(d *value.Dict) bool { return has(d, "field", "operator", "value") }
func isLogic(d *value.Dict) bool      { return has(d, "operator", "conditions") }

func part(d *value.Dict, key string) value.Value { v, _ := d.Get(key); return v }

func group(op value.Value, conditions []value.Value) *value.Dict {
	return value.NewDict("operator", op, "conditions", value.NewList(conditions...))
}

func conditions(d *value.Dict) []value.Value {
	items, _ := elements(part(d, "conditions"))
	return items
}

func mergeComparisons(own, run *value.Dict) (*value.Dict, string) {
	if value.Equal(part(own, "field"), part(run, "field")) {
		return run, "the filters of this run replace the retriever's own, which name the same field"
	}
	return group(value.Str("AND"), []value.Value{own, run}), ""
}

func mergeLogic(own, run *value.Dict) (*value.Dict, string) {
	op := part(own, "operator")
	if !value.Equal(op, part(run, "operator")) {
		return run, "the filters of this run replace the retriever's own: their logical operators differ"
	}
	if op == value.Str("AND") {
		return group(op, append(append([]value.Value(nil), conditions(own)...), conditions(run)...)), ""
	}
	return group(value.Str("AND"), []value.Value{own, run}), ""
}

// addComparison appends a comparison to an AND group. The run's side wins where both name one field.
func addComparison(logic, cmp, run *value.Dict) (*value.Dict, string) {
	if part(logic, "operator") != value.Str("AND") {
		return run, "the filters of this run replace the retriever's own: only an AND takes one more condition"
	}
	var kept []value.Value
	dropped := ""
	for _, c := range conditions(logic) {
		d, ok := c.(*value.Dict)
		if ok && has(d, "field") && value.Equal(part(d, "field"), part(cmp, "field")) {
			dropped = "a filter of the retriever is left out: the filters of this run name the same field"
			if run == logic {
				return run, dropped
			}
			continue
		}
		kept = append(kept, c)
	}
	return group(value.Str("AND"), append(kept, cmp)), dropped
}
