package egress_test

import (
	"context"
	"net"
	"testing"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
)

func TestDialIsGuardedToo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	_, err = allowing(t, egress.Options{}).Dial(t.Context(), "tcp", addr)
	mustFail(t, err, fault.Denied, "is not allowed", addr)
	guarded := allowing(t, egress.Options{}, addr)
	conn, err := guarded.Dial(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = guarded.Dial(over, "tcp", addr)
	mustFail(t, err, fault.Canceled)
	_ = l.Close()
	_, err = guarded.Dial(t.Context(), "tcp", addr)
	mustFail(t, err, fault.Unavailable, "cannot reach "+addr)
	_, err = guarded.Dial(t.Context(), "unix", "/tmp/socket")
	mustFail(t, err, fault.Denied)
}
