package limit

import (
	"hash/maphash"
	"net/netip"
)

// Key names one thing that is counted. It is made by a Limiter and means nothing to another one: hashes are seeded per
// Limiter, so that nobody can construct colliding keys.
type Key struct {
	fine   uint64 // the thing itself
	coarse uint64 // the bucket it shares when the table is full
}

// Key returns the key of a kind of limit and its parts, for example ("tenant", app, id). When the table is full, keys of
// one kind share a bucket.
func (l *Limiter) Key(kind string, parts ...string) Key {
	var h maphash.Hash
	h.SetSeed(l.seed)
	writePart(&h, kind)
	coarse := h.Sum64()
	for _, p := range parts {
		writePart(&h, p)
	}
	return Key{fine: h.Sum64(), coarse: coarse}
}

// KeyIP returns the key of a kind of limit for a client address, and optionally parts such as a route class or a user.
// IPv4 counts by address, IPv6 by /64, which is what one subscriber holds. When the table is full, addresses share a
// bucket per /24 and /48. An invalid address is counted as one address of its own.
func (l *Limiter) KeyIP(kind string, ip netip.Addr, parts ...string) Key {
	fine, coarse := Network(ip), wideNetwork(ip)
	var h maphash.Hash
	h.SetSeed(l.seed)
	writePart(&h, kind)
	wide := h
	writeAddr(&wide, coarse)
	writeAddr(&h, fine)
	for _, p := range parts {
		writePart(&h, p)
	}
	return Key{fine: h.Sum64(), coarse: wide.Sum64()}
}

// Network returns the address that ip is counted as: itself for IPv4 (also when mapped into IPv6), the first of its /64
// for IPv6.
func Network(ip netip.Addr) netip.Addr { return masked(ip, 32, 64) }

func wideNetwork(ip netip.Addr) netip.Addr { return masked(ip, 24, 48) }

func masked(ip netip.Addr, four, six int) netip.Addr {
	ip = ip.Unmap().WithZone("")
	bits := six
	if ip.Is4() {
		bits = four
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr()
}

// writePart writes s with its length in front, so that ("ab", "c") and ("a", "bc") differ.
func writePart(h *maphash.Hash, s string) {
	n := len(s)
	h.WriteByte(byte(n))
	h.WriteByte(byte(n >> 8))
	h.WriteByte(byte(n >> 16))
	h.WriteString(s)
}

func writeAddr(h *maphash.Hash, ip netip.Addr) {
	if !ip.IsValid() {
		h.WriteByte(0)
		return
	}
	b := ip.As16()
	h.WriteByte(byte(ip.BitLen()))
	h.Write(b[:])
}
