package router

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

func unescape(path string) (string, error) { return url.PathUnescape(path) }

// clientIP is the peer's address, or the last hop that no trusted proxy added.
func (rt *Router) clientIP(req *http.Request) string {
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return ""
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	peer = peer.Unmap().WithZone("")
	if !rt.trusted(peer) {
		return peer.String()
	}
	hops := strings.Split(strings.Join(req.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && rt.trusted(peer); i-- {
		hop, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		peer = hop
	}
	return peer.String()
}

// parseHop reads one entry of X-Forwarded-For; some proxies add the port.
func parseHop(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

func (rt *Router) trusted(a netip.Addr) bool {
	for _, p := range rt.o.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// hostAllowed compares the name in a Host header, without its port, with the names the server answers to. Two spellings of
// one IP address are one name.
func (rt *Router) hostAllowed(host string) bool {
	if len(rt.o.Hosts) == 0 {
		return true
	}
	name := hostName(host)
	for _, h := range rt.o.Hosts {
		if strings.EqualFold(hostName(h), name) {
			return true
		}
	}
	return false
}

func hostName(host string) string {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		name = strings.TrimSuffix(inner, "]")
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return a.Unmap().String()
	}
	return name
}
