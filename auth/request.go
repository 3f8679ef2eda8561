package auth

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/auth/identity"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Request is a login form: the fields of FastAPI's OAuth2PasswordRequestForm, and where it came from.
type Request struct {
	App       string       // the server's app id
	GrantType string       // "" or "password"
	Username  string       // any spelling
	Password  sealed.Value // zero: the field was missing
	Scope     string       // "" or "tenant:<slug>"
	ClientID  string       // what logs in, as it calls itself; recorded with the grant; "" for no client
	Origin
}

const maxUsername = 512

const grantPattern = "^password$"

// check reports every wrong field at once. An empty field counts as missing, as in an HTML form. It looks at nothing
// that depends on who exists.
func (r Request) check() (slug string, err error) {
	var bad []FieldError
	if r.GrantType != "" && r.GrantType != "password" {
		bad = append(bad, FieldError{Field: "grant_type", Type: "string_pattern_mismatch", Input: clip(r.GrantType, 64),
			Pattern: grantPattern, Message: "String should match pattern '" + grantPattern + "'"})
	}
	size := lengthOf(r.Password)
	for _, f := range []struct {
		name      string
		size, max int
	}{{"username", len(r.Username), maxUsername}, {"password", size, password.MaxBytes}} {
		switch {
		case f.size == 0:
			bad = append(bad, FieldError{Field: f.name, Type: "missing", Message: "Field required"})
		case f.size > f.max:
			bad = append(bad, FieldError{Field: f.name, Type: "string_too_long", Max: f.max,
				Message: "String should have at most " + strconv.Itoa(f.max) + " characters"})
		}
	}
	if len(bad) > 0 {
		return "", fault.Wrap(fault.Invalid, &FieldErrors{bad}, "the login form is not complete").WithCode("invalid_request").
			WithHint("send username and password as form fields")
	}
	if r.App == "" {
		return "", fault.New(fault.Internal, "a login names no app")
	}
	return scopeSlug(r.Scope)
}

func lengthOf(pw sealed.Value) int {
	b := reveal.Inside(pw)
	defer clear(b)
	return len(b)
}

// scopeSlug reads the scope field: nothing, or one tenant:<slug>.
func scopeSlug(scope string) (slug string, err error) {
	const unknown = "the scope holds something other than one tenant:<slug>"
	for word := range strings.FieldsSeq(scope) {
		have, ok := strings.CutPrefix(word, "tenant:")
		if !ok || slug != "" || identity.CheckSlug(have) != nil {
			return "", badScope(unknown)
		}
		slug = have
	}
	return slug, nil
}

// address reads the client's address, with or without a port. The zero Addr counts as one address of its own.
func (o Origin) address() netip.Addr {
	if ip, err := netip.ParseAddr(o.IP); err == nil {
		return ip
	}
	if ap, err := netip.ParseAddrPort(o.IP); err == nil {
		return ap.Addr()
	}
	return netip.Addr{}
}

// countedName is the name that the throttle counts: canonical, so that every spelling reaches one counter.
func (r Request) countedName() string {
	if name, err := identity.CanonicalName(r.Username); err == nil {
		return name
	}
	return "\x00" + r.Username // nobody has this name; it cannot meet a canonical one
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
