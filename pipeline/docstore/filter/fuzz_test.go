package filter

import (
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// FuzzFilter holds that whatever JSON stands for a filter, compiling it and asking about documents ends in yes, in no or in
// a fault of the caller; that a filter which calls itself total never fails; and that NOT is the opposite.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"field": "meta.n", "operator": ">=", "value": 1}`, `{"field": "meta.d", "operator": "<", "value": "2024-01-06T00:00:00Z"}`,
		`{"operator": "AND", "conditions": [{"field": "content", "operator": "in", "value": ["x", null]}, {"field": "n", "operator": "==", "value": 1.0}]}`,
		`{"operator": "NOT", "conditions": [{"operator": "OR", "conditions": [{"field": "meta.l", "operator": "not in", "value": [[1]]}]}]}`,
		`{"field": "meta.text", "operator": ">", "value": "2024-13"}`, `{"operator": "XOR", "conditions": []}`, `{"conditions": {}}`,
		`{"field": 1, "operator": "!=", "value": {"a": 1}}`, `{"field": "embedding", "operator": "<=", "value": []}`,
	} {
		f.Add(s)
	}
	docs := []*document.Document{document.Text("x"), document.Text("y").WithMeta(value.NewDict("n", value.Int(1), "text", value.Str("z"), "none", value.None,
		"d", value.Str("2024-01-05T10:00:00"), "zoned", value.Str("2024-01-05T10:00:00+02:00"), "l", value.NewList(value.Int(1)), "f", value.Float(0.5)))}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.FromJSON([]byte(text))
		filters, ok := v.(*value.Dict)
		if err != nil || !ok {
			return
		}
		for _, strict := range []bool{true, false} {
			whole, opposite := Compile(filters, strict), Compile(list("NOT", filters), strict)
			for _, doc := range docs {
				yes, err := whole.Matches(doc)
				if err != nil && (whole.Total() || fault.KindOf(err) != fault.Invalid) {
					t.Fatalf("%s: total %t, and fails: %v", text, whole.Total(), err)
				}
				no, failed := opposite.Matches(doc)
				if filters.Len() > 0 && err == nil && failed == nil && yes == no {
					t.Fatalf("%s: %t, and so is its opposite", text, yes)
				}
			}
			if err := whole.Check(); err != nil && (whole.Total() || fault.KindOf(err) != fault.Invalid) {
				t.Fatalf("%s: total %t, %v", text, whole.Total(), err)
			}
		}
	})
}
