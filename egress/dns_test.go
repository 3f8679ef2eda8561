package egress_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// resolver returns a resolver that asks a name server of its own, which knows exactly the given fully qualified names.
func resolver(t *testing.T, names map[string]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go serveNames(conn, names)
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func serveNames(conn net.PacketConn, names map[string]string) {
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		if answer, err := reply(m, names).Pack(); err == nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

func reply(m dnsmessage.Message, names map[string]string) *dnsmessage.Message {
	q := m.Questions[0]
	out := &dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	text, known := names[q.Name.String()]
	if !known {
		out.RCode = dnsmessage.RCodeNameError
		return out
	}
	addr := netip.MustParseAddr(text)
	var body dnsmessage.ResourceBody
	switch {
	case addr.Is4() && q.Type == dnsmessage.TypeA:
		body = &dnsmessage.AResource{A: addr.As4()}
	case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
		body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
	default:
		return out
	}
	out.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}, Body: body}}
	return out
}
