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
	host   string // lower case, no trailing dot, IP literals in canonical form
	port   uint16
}

// ParseDestination reads "https://api.openai.com", "http://127.0.0.1:4011/v1" (the path is ignored) or a bare
// "api.openai.com", which means https. User info, fragments, wildcards and empty hosts are errors.
func ParseDestination(s string) (Destination, error) {
	raw := strings.TrimSpace(s)
	if raw == "" {
		return Destination{}, fault.New(fault.Invalid, "a destination is empty").WithHint("write a host such as api.openai.com or an origin such as https://api.openai.com")
	}
	if !strings.Contains(raw, "://") {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return Destination{}, fault.New(fault.Invalid, "a destination is not a URL").WithHint("write an origin such as https://api.openai.com")
	}
	return FromURL(u)
}

// FromURL returns the origin of u.
func FromURL(u *url.URL) (Destination, error) {
	bad := func(why string) (Destination, error) {
		return Destination{}, fault.New(fault.Invalid, "destination %q %s", u.Redacted(), why)
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return bad("is neither http nor https")
	}
	if u.User != nil {
		return bad("holds user information")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" || strings.ContainsAny(host, "*\\@ \t\r\n") {
		return bad("has no plain host name")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.Unmap().WithZone("").String()
	}
	port := uint64(443)
	if scheme == "http" {
		port = 80
	}
	if p := u.Port(); p != "" {
		if port, err := strconv.ParseUint(p, 10, 16); err == nil && port > 0 {
			return Destination{scheme: scheme, host: host, port: uint16(port)}, nil
		}
		return bad("has a port outside 1 to 65535")
	}
	return Destination{scheme: scheme, host: host, port: uint16(port)}, nil
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
	if (d.scheme == "https" && d.port == 443) || (d.scheme == "http" && d.port == 80) {
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
