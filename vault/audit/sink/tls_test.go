package sink_test

import (
	"crypto/tls"
	"net"
)

func tlsServer(conn net.Conn, conf *tls.Config) net.Conn { return tls.Server(conn, conf) }
