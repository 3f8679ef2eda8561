package value

import (
	"strings"
)

// Less reports whether Python's a < b holds; values that Python does not order are a TypeError with Python's text.
func Less(a, b Value) (bool, error) { return Compare("<", a, b) }

// Compare applies one of Python's ordering operators: "<", "<=", ">" or ">=".
func Compare(op string, a, b Value) (bool, error) {
	a, b = Plain(a), Plain(b)
	if x, ok := a.(*Set); ok {
		if y, ok := b.(*Set); ok {
			return compareSets(op, x, y), nil
		}
	}
	c, ok, err := rank(op, a, b, 0)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, notOrdered(op, a, b)
	}
	return holds(op, c), nil
}

func notOrdered(op string, a, b Value) error {
	return pyError("TypeError", "'%s' not supported between instances of '%s' and '%s'", op, tpName(a), tpName(b))
}

func holds(op string, c int) bool {
	switch op {
	case "<":
		return c == -1
	case "<=":
		return c == -1 || c == 0
	case ">":
		return c == 1
	}
	return c == 1 || c == 0
}

// order is a three-way comparison for sorting by '<'.
func order(a, b Value) (int, error) {
	a, b = Plain(a), Plain(b)
	c, ok, err := rank("<", a, b, 0)
	if err == nil && !ok {
		err = notOrdered("<", a, b)
	}
	if c == unordered {
		c = 0
	}
	return c, err
}

// rank compares two values that Python orders: -1, 0, 1 or unordered.
func rank(op string, a, b Value, depth int) (c int, ok bool, err error) {
	switch x := a.(type) {
	case Str:
		if y, ok := b.(Str); ok {
			return strings.Compare(string(x), string(y)), true, nil // UTF-8 keeps the order of code points
		}
	case Bytes:
		if y, ok := b.(Bytes); ok {
			return strings.Compare(string(x), string(y)), true, nil
		}
	case Bool, Int, *BigInt, Float:
		c, ok := compareNumbers(a, b)
		return c, ok, nil
	case *List:
		if y, ok := b.(*List); ok {
			return rankItems(op, x.Items, y.Items, depth)
		}
	case Tuple:
		if y, ok := b.(Tuple); ok {
			return rankItems(op, x, y, depth)
		}
	case Date:
		return rankDates(x, b)
	case DateTime:
		return rankTimes(x, b)
	}
	return 0, false, nil
}

// rankItems compares the first items that differ, then the lengths.
func rankItems(op string, a, b []Value, depth int) (int, bool, error) {
	if depth > maxEqualDepth {
		return 0, false, pyError("RecursionError", "maximum recursion depth exceeded in comparison")
	}
	for i := range min(len(a), len(b)) {
		x, y := Plain(a[i]), Plain(b[i])
		if equal(x, y, depth+1) {
			continue
		}
		if s, ok := x.(*Set); ok {
			if t, ok := y.(*Set); ok {
				if compareSets(op, s, t) == (op[0] == '<') {
					return -1, true, nil
				}
				return 1, true, nil
			}
		}
		c, ok, err := rank(op, x, y, depth+1)
		if err == nil && !ok {
			err = notOrdered(op, x, y)
		}
		return c, true, err
	}
	return compareInts(int64(len(a)), int64(len(b))), true, nil
}

func rankDates(a Date, b Value) (int, bool, error) {
	switch b := b.(type) {
	case Date:
		return strings.Compare(a.ISO(), b.ISO()), true, nil
	case DateTime:
		return 0, false, pyError("TypeError", "can't compare datetime.datetime to datetime.date")
	}
	return 0, false, nil
}

func rankTimes(a DateTime, b Value) (int, bool, error) {
	switch b := b.(type) {
	case DateTime:
		if a.Aware != b.Aware {
			return 0, false, pyError("TypeError", "can't compare offset-naive and offset-aware datetimes")
		}
		return a.Time.Compare(b.Time), true, nil
	case Date:
		return 0, false, pyError("TypeError", "can't compare datetime.datetime to datetime.date")
	}
	return 0, false, nil
}

// compareSets applies Python's subset and superset operators.
func compareSets(op string, a, b *Set) bool {
	if op[0] == '>' {
		a, b = b, a
	}
	if a.Len() > b.Len() || len(op) == 1 && a.Len() == b.Len() {
		return false
	}
	for k := range a.d.All() {
		if !b.Has(k) {
			return false
		}
	}
	return true
}
