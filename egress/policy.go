package egress

import (
	"net"
	"net/netip"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Policy says which special addresses may be reached. The zero Policy reaches public unicast addresses only.
type Policy struct {
	allow map[string]bool // canonical "host:port"
	local bool
}

// NewPolicy allows the given "host:port" pairs in addition to public addresses. A host is a name or an IP literal as
// it stands in the URL; there are no wildcards.
func NewPolicy(allow ...string) (Policy, error) {
	p := Policy{allow: map[string]bool{}}
	for _, entry := range allow {
		hostport, err := canonical(strings.TrimSpace(entry))
		if err != nil {
			return Policy{}, fault.Wrap(fault.Invalid, err, "egress entry %q is not host:port", entry).
				WithHint("write for example 127.0.0.1:11434 or models.internal:443; there are no wildcards")
		}
		p.allow[hostport] = true
	}
	return p, nil
}

// canonical returns the one spelling of host:port.
func canonical(hostport string) (string, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil || host == "" || port == "" || strings.ContainsAny(hostport, "/?#@%") {
		return "", fault.New(fault.Invalid, "it needs a host, a colon and a port, and nothing else")
	}
	d, err := sealed.ParseDestination("http://" + hostport)
	return d.HostPort(), err
}

// Local reaches every address. It is for a person running their own files on their own machine (hayward run), never for
// a server; a test lists its callers.
func Local() Policy { return Policy{local: true} }

// Allows reports whether the operator allowed host:port by name. Spellings of one host (case, a trailing dot, the long
// form of an IPv6 address) are one.
func (p Policy) Allows(hostport string) bool {
	if p.local || len(p.allow) == 0 {
		return p.local
	}
	key, err := canonical(hostport)
	return err == nil && p.allow[key]
}

// special lists what netip.Addr's own predicates leave out: IANA special-purpose ranges that are not the public
// internet (https://www.iana.org/assignments/iana-ipv4-special-registry, ipv6 likewise), and translation prefixes that
// would smuggle such an address through.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	"3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// IsPublic reports whether a is an ordinary address of the public internet.
func IsPublic(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
