package sealed

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// Destination is one origin that may receive a value: scheme, host and port, as in RFC 6454. It is comparable.
type Destination struct {
	scheme string // lower case
	host   string // lower case ASCII, no trailing dot, IP literals in canonical form
	port   uint16
}

// ParseDestination reads "https://api.openai.com", "http://127.0.0.1:4011/v1" (path and query are ignored) or a bare
// "api.openai.com", which means https. User info, fragments, wildcards, empty hosts, zones and other spellings of an IP
// address (0x7f.1, 2130706433) are errors. So are letters outside ASCII: a name in another script is written in its
// "xn--" form, because two names that look alike must not compare by how a library folds them.
func ParseDestination(s string) (Destination, error) {
	raw := strings.TrimSpace(s)
	if raw == "" {
		return Destination{}, fault.New(fault.Invalid, "a destination is empty").WithHint(writeAnOrigin)
	}
	if !strings.Contains(raw, "://") {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Destination{}, fault.New(fault.Invalid, "a destination is not a URL").WithHint(writeAnOrigin)
	}
	if strings.Contains(raw, "#") {
		return Destination{}, refuse(u, "holds a fragment")
	}
	return FromURL(u)
}

const writeAnOrigin = "write a host such as api.openai.com or an origin such as https://api.openai.com"

// refuse names the host at most: user information, path and query of a URL may be secret.
func refuse(u *url.URL, why string) error {
	return fault.New(fault.Invalid, "destination %q %s", u.Hostname(), why).WithHint(writeAnOrigin)
}

// FromURL returns the origin of u.
func FromURL(u *url.URL) (Destination, error) {
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return Destination{}, refuse(u, "is neither http nor https")
	}
	if u.User != nil {
		return Destination{}, refuse(u, "holds user information")
	}
	host, why := canonicalHost(u.Hostname())
	if why != "" {
		return Destination{}, refuse(u, why)
	}
	port, ok := portOf(scheme, u.Port())
	if !ok {
		return Destination{}, refuse(u, "has a port outside 1 to 65535")
	}
	return Destination{scheme: scheme, host: host, port: port}, nil
}

func portOf(scheme, written string) (port uint16, ok bool) {
	switch {
	case written == "" && scheme == "http":
		return 80, true
	case written == "":
		return 443, true
	}
	n, err := strconv.ParseUint(written, 10, 16)
	return uint16(n), err == nil && n > 0
}

// canonicalHost returns the one spelling of a host name or IP literal, or why it has none. Letters are folded only once
// they are known to be ASCII: the Kelvin sign folds to k.
func canonicalHost(host string) (canonical, why string) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return "", "has a zone"
		}
		return addr.Unmap().String(), ""
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > 253 {
		return "", "has no host name"
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", "has a host name that is not plain letters, digits, dots and hyphens"
		}
	}
	host = strings.ToLower(host)
	if addr, err := netip.ParseAddr(host); err == nil { // 127.0.0.1. with a trailing dot
		return addr.String(), ""
	}
	if last := strings.ToLower(labels[len(labels)-1]); isNumber(last) {
		return "", "is an unusual spelling of an IP address"
	}
	return host, ""
}

// isLabel accepts letters, digits, hyphens inside, and underscores, which container networks use.
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// isNumber reports whether a lower-case last label makes other parsers read the whole name as an IPv4 address
// (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// MustDestination is [ParseDestination] for constants; it panics on an error.
func MustDestination(s string) Destination {
	d, err := ParseDestination(s)
	if err != nil {
		panic("sealed: bad constant destination: " + err.Error())
	}
	return d
}

// IsZero reports whether d names nothing.
func (d Destination) IsZero() bool { return d == Destination{} }

// Host returns the host name or IP literal.
func (d Destination) Host() string { return d.host }

// Port returns the port.
func (d Destination) Port() int { return int(d.port) }

// Scheme returns "http" or "https".
func (d Destination) Scheme() string { return d.scheme }

// HostPort returns "host:port", with brackets around IPv6 literals.
func (d Destination) HostPort() string {
	return net.JoinHostPort(d.host, strconv.Itoa(int(d.port)))
}

// Covers reports whether a value for d may be sent to other: the very same scheme, host and port. There are no
// wildcards, and a value for an https origin never goes out over http.
func (d Destination) Covers(other Destination) bool { return !d.IsZero() && d == other }

// String returns the origin, leaving out the scheme's own port.
func (d Destination) String() string {
	if d.IsZero() {
		return ""
	}
	host := d.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if own, _ := portOf(d.scheme, ""); own == d.port {
		return d.scheme + "://" + host
	}
	return d.scheme + "://" + host + ":" + strconv.Itoa(int(d.port))
}

// MarshalText encodes d as its origin.
func (d Destination) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [ParseDestination] reads.
func (d *Destination) UnmarshalText(b []byte) error {
	parsed, err := ParseDestination(string(b))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
