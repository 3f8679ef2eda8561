package value

// AsFloat returns a number (int, float or bool) as a float64; an int beyond the range of a float is not ok.
func AsFloat(v Value) (f float64, ok bool) {
	i, f, k := number(v)
	switch k {
	case isSmall:
		return float64(i), true
	case isFloat:
		return f, true
	case isBig:
		f, _ = bigOf(v).Float64()
		return f, f-f == 0
	}
	return 0, false
}

// OptValue returns Str(*s), or None for nil.
func OptValue(s *string) Value {
	if s == nil {
		return None
	}
	return Str(*s)
}

// OptFloatValue returns Float(*f), or None for nil.
func OptFloatValue(f *float64) Value {
	if f == nil {
		return None
	}
	return Float(*f)
}

// OptIntValue returns Int(*n), or None for nil.
func OptIntValue(n *int) Value {
	if n == nil {
		return None
	}
	return Int(*n)
}

// DictValue returns d, or None for nil.
func DictValue(d *Dict) Value {
	if d == nil {
		return None
	}
	return d
}
