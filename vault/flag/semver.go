package flag

import (
	"cmp"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// version is a version as in https://semver.org/spec/v2.0.0.html, without its build part, which has no order.
type version struct {
	core [3]string // numbers without leading zeros
	pre  []string
}

// parseVersion reads "1.2.3", "v1.2.3-rc.1+build"; a missing minor or patch is zero.
func parseVersion(s string) (version, error) {
	var v version
	bad := fault.New(fault.Invalid, "this is not a version").WithHint("write it like 1.2.3 or 1.2.3-rc.1")
	if len(s) > 256 {
		return v, bad
	}
	s, build, hasBuild := strings.Cut(strings.TrimPrefix(s, "v"), "+")
	s, pre, hasPre := strings.Cut(s, "-")
	if hasBuild && !identifiers(strings.Split(build, "."), false) {
		return v, bad
	}
	if hasPre {
		if v.pre = strings.Split(pre, "."); !identifiers(v.pre, true) {
			return v, bad
		}
	}
	parts := strings.Split(s, ".")
	if len(parts) > 3 || (hasPre && len(parts) < 3) {
		return v, bad
	}
	v.core = [3]string{"0", "0", "0"}
	for i, p := range parts {
		if !numeric(p) || (len(p) > 1 && p[0] == '0') {
			return v, bad
		}
		v.core[i] = p
	}
	return v, nil
}

// identifiers reports whether each one is letters, digits and dashes, and, if strict, a number has no leading zero.
func identifiers(ids []string, strict bool) bool {
	for _, s := range ids {
		if s == "" || strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") != "" {
			return false
		}
		if strict && len(s) > 1 && s[0] == '0' && numeric(s) {
			return false
		}
	}
	return true
}

func numeric(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// compare is the precedence of section 11.
func (v version) compare(o version) int {
	for i := range v.core {
		if n := compareNumbers(v.core[i], o.core[i]); n != 0 {
			return n
		}
	}
	switch {
	case len(v.pre) == 0 || len(o.pre) == 0:
		return cmp.Compare(len(o.pre), len(v.pre)) // the one without is the later
	}
	for i := range min(len(v.pre), len(o.pre)) {
		if n := compareIdentifiers(v.pre[i], o.pre[i]); n != 0 {
			return n
		}
	}
	return cmp.Compare(len(v.pre), len(o.pre))
}

// compareNumbers needs no conversion: no leading zeros, so the longer one is the larger.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func compareIdentifiers(a, b string) int {
	switch an, bn := numeric(a), numeric(b); {
	case an && bn:
		return compareNumbers(a, b)
	case an:
		return -1
	case bn:
		return 1
	}
	return strings.Compare(a, b)
}
