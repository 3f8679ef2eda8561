package egress

import (
	"context"
	"errors"
	"net"

	"github.com/haywardhq/hayward/fault"
)

// Dial opens a connection to "host:port" under the same guard, for protocols that are not HTTP; network is tcp, tcp4 or
// tcp6. What is sent over it is the caller's to answer for: no credential is opened here.
// Errors are faults: Denied (address), Timeout, Canceled, Unavailable.
func (c *Client) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := c.transport.DialContext(ctx, network, addr)
	var f *fault.Error
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return conn, nil
	case errors.As(err, &f):
		return nil, f
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, fault.Wrap(fault.Canceled, quiet(err), "the connection to %s was canceled", addr)
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, fault.Wrap(fault.Timeout, quiet(err), "%s did not answer in time", addr)
	}
	return nil, fault.Wrap(fault.Unavailable, quiet(err), "cannot reach %s", addr)
}
