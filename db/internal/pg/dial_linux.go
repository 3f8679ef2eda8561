package pg

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// boundSending ends a connection whose peer has not acknowledged anything for half a minute; the system would wait for
// about a quarter of an hour.
func boundSending(network, _ string, c syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	err2 := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 30_000) })
	if err == nil {
		err = err2
	}
	return err
}
