package sink

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
)

// SyslogOptions configures [NewSyslog].
type SyslogOptions struct {
	// Dial opens the connection: [DialTCP], [DialTLS], or a function of the operator's for a Unix socket.
	Dial     func(ctx context.Context) (net.Conn, error)
	Datagram bool   // the connection keeps messages apart (a Unix datagram socket): none is preceded by its length
	Hostname string // default "-"
	AppName  string // default "hayward"
	Facility int    // default 13, "log audit"
}

// DialTCP connects to host:port through egress, in clear: for a collector on the same machine that the operator allowed.
func DialTCP(c *egress.Client, hostport string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) { return c.Dial(ctx, "tcp", hostport) }
}

// DialTLS connects to host:port through egress, and speaks TLS (RFC 5425). The name in hostport must be in the certificate.
func DialTLS(c *egress.Client, hostport string, conf *tls.Config) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		host, _, err := net.SplitHostPort(hostport)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s is not host:port", audit.Display(hostport))
		}
		conn, err := c.Dial(ctx, "tcp", hostport)
		if err != nil {
			return nil, err
		}
		own := &tls.Config{}
		if conf != nil {
			own = conf.Clone()
		}
		own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
		if own.ServerName == "" {
			own.ServerName = host
		}
		secure := tls.Client(conn, own)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fault.Wrap(fault.Unavailable, err, "the syslog server %s is not who it should be", hostport)
		}
		return secure, nil
	}
}

// Syslog sends entries as RFC 5424 messages, preceded by their length (RFC 6587, octet counting). The fields of an entry are
// structured data, the text is the entry as JSON in ASCII; control characters, line breaks and bidi marks are escaped.
//
// Syslog acknowledges nothing: what the kernel took and the other side never read is lost there. It is in the store.
type Syslog struct {
	o    SyslogOptions
	conn *syslogConn
}

type syslogConn struct {
	net.Conn
	gone atomic.Bool // the other side closed it
}

// NewSyslog returns a syslog sink. It connects with the first batch, and again after a failure.
func NewSyslog(o SyslogOptions) *Syslog {
	o.Hostname, o.AppName = word(o.Hostname, 255), word(o.AppName, 48)
	if o.AppName == "-" {
		o.AppName = "hayward"
	}
	if o.Facility <= 0 || o.Facility > 23 {
		o.Facility = 13
	}
	return &Syslog{o: o}
}

// Send implements [Target].
func (s *Syslog) Send(ctx context.Context, b Batch) error {
	if s.conn != nil && s.conn.gone.Load() {
		_ = s.Close()
	}
	if s.conn == nil {
		conn, err := s.o.Dial(ctx)
		if err != nil {
			return err
		}
		s.conn = &syslogConn{Conn: conn}
		go s.conn.listen()
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = s.conn.SetWriteDeadline(deadline)
	}
	if err := s.write(b); err != nil {
		_ = s.Close()
		return fault.Wrap(fault.Unavailable, err, "the syslog server does not take messages")
	}
	return nil
}

// listen notices that the other side has gone: a first write to it would seem to go well.
func (c *syslogConn) listen() {
	buf := make([]byte, 512)
	for {
		if _, err := c.Read(buf); err != nil {
			c.gone.Store(true)
			return
		}
	}
}

func (s *Syslog) write(b Batch) error {
	var out []byte
	send := func(msg string) error {
		if s.o.Datagram {
			_, err := s.conn.Write([]byte(msg))
			return err
		}
		out = append(strconv.AppendInt(out, int64(len(msg)), 10), ' ')
		out = append(out, msg...)
		return nil
	}
	for _, line := range b.Entries {
		msg, err := s.message(line)
		if err == nil {
			err = send(msg)
		}
		if err != nil {
			return err
		}
	}
	if b.Checkpoint != "" {
		if err := send(s.header(6, time.Now(), "audit.checkpoint") + " - " + audit.Display(b.Checkpoint)); err != nil {
			return err
		}
	}
	if len(out) == 0 {
		return nil
	}
	_, err := s.conn.Write(out)
	return err
}

// header is PRI, VERSION, TIMESTAMP, HOSTNAME, APP-NAME, PROCID and MSGID.
func (s *Syslog) header(severity int, at time.Time, msgID string) string {
	return fmt.Sprintf("<%d>1 %s %s %s - %s", s.o.Facility*8+severity, at.UTC().Format("2006-01-02T15:04:05.000000Z"), s.o.Hostname, s.o.AppName,
		word(msgID, 32))
}

// message is one entry. 32473 is the enterprise number for documentation (RFC 5612).
func (s *Syslog) message(line audit.Line) (string, error) {
	severity := 6 // informational
	switch line.Outcome {
	case audit.Denied, audit.NotFound:
		severity = 4 // warning
	case audit.Error:
		severity = 3 // error
	}
	var b strings.Builder
	b.WriteString(s.header(severity, line.CreatedAt, line.Action))
	b.WriteString(" [audit@32473")
	for _, f := range fields(line) {
		b.WriteString(" " + f.name + `="` + param.Replace(f.value) + `"`)
	}
	fmt.Fprintf(&b, ` epoch="%d" seq="%d"] `, line.Epoch, line.Seq)
	body, err := json.Marshal(line)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "an audit entry could not be encoded")
	}
	b.WriteString(ascii(string(body)))
	return b.String(), nil
}

// param escapes the value of a parameter (RFC 5424, section 6.3.3).
var param = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

// word makes a header field of printable ASCII without spaces.
func word(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), limit)]
}

// ascii writes JSON with every other character as an escape.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Close closes the connection.
func (s *Syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
