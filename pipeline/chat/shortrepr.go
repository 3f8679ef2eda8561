package chat

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// The limits of Python's reprlib, with Haystack's own length for strings.
const (
	shortString = 100
	shortDict   = 4
	shortList   = 6
	shortLevels = 6
	shortOther  = 30
	shortInt    = 40
)

// shortRepr is reprlib.repr with strings of up to 100 characters: it shows a content part without its base64 data.
func shortRepr(v value.Value) string { return shortAt(v, shortLevels) }

func shortAt(v value.Value, level int) string {
	switch v := v.(type) {
	case value.Str:
		return shortText(string(v))
	case *value.Dict:
		return shortMap(v, level)
	case *value.List:
		return shortItems("[", v.Items, "]", level)
	case value.Tuple:
		if len(v) == 1 {
			return shortItems("(", v, ",)", level)
		}
		return shortItems("(", v, ")", level)
	case value.Int, *value.BigInt:
		return middle(value.Repr(v), shortInt)
	}
	return middle(value.Repr(v), shortOther)
}

// middle cuts the middle out of a text that is too long.
func middle(s string, limit int) string {
	n := value.StrLen(s)
	if n <= limit {
		return s
	}
	i := (limit - 3) / 2
	j := limit - 3 - i
	return value.PySlice(s, 0, i) + "..." + value.PySlice(s, n-j, n)
}

func shortText(s string) string {
	out := value.Repr(value.Str(value.PySlice(s, 0, shortString)))
	if value.StrLen(out) <= shortString {
		return out
	}
	i := (shortString - 3) / 2
	j := shortString - 3 - i
	n := value.StrLen(s)
	return middleOf(value.Repr(value.Str(value.PySlice(s, 0, i)+value.PySlice(s, n-j, n))), i, j)
}

func middleOf(s string, i, j int) string {
	n := value.StrLen(s)
	return value.PySlice(s, 0, i) + "..." + value.PySlice(s, n-j, n)
}

func shortItems(open string, items []value.Value, end string, level int) string {
	if level <= 0 && len(items) > 0 {
		return open + "..." + end
	}
	var parts []string
	for i, it := range items {
		if i == shortList {
			parts = append(parts, "...")
			end = strings.TrimPrefix(end, ",")
			break
		}
		parts = append(parts, shortAt(it, level-1))
	}
	return open + strings.Join(parts, ", ") + end
}

func shortMap(d *value.Dict, level int) string {
	if d.Len() == 0 {
		return "{}"
	}
	if level <= 0 {
		return "{...}"
	}
	var all []value.Value
	for k := range d.All() {
		all = append(all, k)
	}
	slices.SortStableFunc(all, func(a, b value.Value) int {
		if less, err := value.Less(a, b); err == nil && less {
			return -1
		}
		if less, err := value.Less(b, a); err == nil && less {
			return 1
		}
		return 0
	})
	var parts []string
	for i, k := range all {
		if i == shortDict {
			parts = append(parts, "...")
			break
		}
		v, _ := d.GetKey(k)
		parts = append(parts, shortAt(k, level-1)+": "+shortAt(v, level-1))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
