package postgresrole

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/haywardhq/hayward/fault"
)

// server says where a database is and how to get there.
type server struct {
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	tls      *tls.Config // nil: plaintext
	host     string
	port     int
	database string
	here     bool // it must be on this machine
}

// maxAnswer is the longest message of a server that is read, in bytes.
const maxAnswer = 1 << 20

// session is a connection that has logged in. It speaks the little of the protocol that is needed here
// (https://www.postgresql.org/docs/current/protocol-flow.html).
type session struct {
	conn net.Conn
	f    *pgproto3.Frontend
	addr string
}

// login connects and proves the password by SCRAM-SHA-256. It is over when ctx is.
func (s server) login(ctx context.Context, l login) (*session, error) {
	addr := net.JoinHostPort(s.host, strconv.Itoa(s.port))
	conn, err := s.dial(ctx, "tcp", addr)
	if err == nil && s.here {
		if err = onLoopback(conn); err != nil {
			_ = conn.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	stop := bound(ctx, conn)
	out, err := s.enter(ctx, conn, l)
	if !stop() || err != nil {
		_ = conn.Close()
		return nil, unreached(ctx, err, addr)
	}
	return out, nil
}

// bound ends what waits on a connection when ctx is over. stop reports whether it did not come to that.
func bound(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

// unreached gives what came from the connection a kind, and keeps faults.
func unreached(ctx context.Context, err error, addr string) error {
	var f *fault.Error
	switch {
	case ctx.Err() != nil:
		return fault.Wrap(fault.Timeout, context.Cause(ctx), "the database at %s did not answer in time", addr)
	case errors.As(err, &f):
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the connection to the database at %s broke", addr)
}

func (s server) enter(ctx context.Context, conn net.Conn, l login) (*session, error) {
	if s.tls != nil {
		secure, err := upgrade(ctx, conn, s.tls)
		if err != nil {
			return nil, err
		}
		conn = secure
	}
	f := pgproto3.NewFrontend(conn, conn)
	f.SetMaxBodyLen(maxAnswer)
	f.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": l.Username,
		"database": s.database, "application_name": "hayward", "client_encoding": "UTF8"}})
	if err := f.Flush(); err != nil {
		return nil, err
	}
	out := &session{conn, f, net.JoinHostPort(s.host, strconv.Itoa(s.port))}
	return out, out.authenticate(l)
}

// upgrade asks for TLS and checks the server's name.
func upgrade(ctx context.Context, conn net.Conn, conf *tls.Config) (net.Conn, error) {
	request := binary.BigEndian.AppendUint32(nil, 8)
	if _, err := conn.Write(binary.BigEndian.AppendUint32(request, 80877103)); err != nil { // SSLRequest
		return nil, err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return nil, err
	}
	if answer[0] != 'S' {
		return nil, refused("it has no TLS")
	}
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the TLS handshake with the database failed")
	}
	return secure, nil
}

// authenticate goes through the login. Only SCRAM-SHA-256 is spoken: every other way would tell the server the password, or
// something as good.
func (s *session) authenticate(l login) error {
	e := &exchange{password: []byte(l.Password)}
	proved := false
	for {
		msg, err := s.f.Receive()
		if err != nil {
			return err
		}
		switch msg := msg.(type) {
		case *pgproto3.AuthenticationSASL:
			if !slices.Contains(msg.AuthMechanisms, "SCRAM-SHA-256") {
				return refused("it does not know SCRAM-SHA-256")
			}
			s.f.Send(&pgproto3.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256", Data: e.begin(rand.Text())})
			err = s.f.Flush()
		case *pgproto3.AuthenticationSASLContinue:
			var data []byte
			if data, err = e.answer(msg.Data); err == nil {
				s.f.Send(&pgproto3.SASLResponse{Data: data})
				err = s.f.Flush()
			}
		case *pgproto3.AuthenticationSASLFinal:
			err, proved = e.finish(msg.Data), true
		case *pgproto3.AuthenticationOk:
			if !proved {
				return refused("it lets everybody in without a password")
			}
		case *pgproto3.AuthenticationCleartextPassword, *pgproto3.AuthenticationMD5Password, *pgproto3.AuthenticationGSS:
			return refused("it asks for the password in another way than SCRAM-SHA-256")
		case *pgproto3.ErrorResponse:
			return answered(msg)
		case *pgproto3.ReadyForQuery:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// answered is an error of the server. Its text may quote a statement: only the code is passed on, and what it stands for.
func answered(e *pgproto3.ErrorResponse) error {
	switch e.Code {
	case "28P01", "28000": // invalid_password, invalid_authorization_specification
		return fault.New(fault.Failed, "the database refused the login").WithCode("LoginRefused")
	case "42501": // insufficient_privilege
		return fault.New(fault.Failed, "the administrator's role may not do this in the database").WithCode("DatabaseDenied").
			WithHint("it needs CREATEROLE, and the admin option on the group and on both roles")
	case "42704": // undefined_object
		return fault.New(fault.Failed, "there is no such role in the database").WithCode("NoSuchRole").
			WithHint("make the group, and give it the rights that the application needs")
	case "53300", "57P03": // too_many_connections, cannot_connect_now
		return fault.New(fault.Unavailable, "the database takes no connections now").WithCode("DatabaseBusy")
	}
	return fault.New(fault.Failed, "the database answered with the error %s", sqlState(e.Code)).WithCode("DatabaseError").
		WithHint("https://www.postgresql.org/docs/current/errcodes-appendix.html lists what it means")
}

// sqlState keeps what a server calls a code from being anything else.
func sqlState(code string) string {
	if len(code) != 5 {
		return "unknown"
	}
	for _, c := range code {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return "unknown"
		}
	}
	return code
}

// query runs one statement and returns the first column of its rows.
func (s *session) query(ctx context.Context, statement string) (out []string, err error) {
	stop := bound(ctx, s.conn)
	defer func() {
		if !stop() || err != nil {
			err = unreached(ctx, err, s.addr)
		}
	}()
	s.f.Send(&pgproto3.Query{String: statement})
	if err := s.f.Flush(); err != nil {
		return nil, err
	}
	var failed error
	for {
		msg, err := s.f.Receive()
		if err != nil {
			return nil, err
		}
		switch msg := msg.(type) {
		case *pgproto3.DataRow:
			if len(msg.Values) > 0 {
				out = append(out, string(msg.Values[0]))
			}
		case *pgproto3.ErrorResponse:
			failed = answered(msg)
		case *pgproto3.ReadyForQuery:
			return out, failed
		}
	}
}

func (s *session) close() {
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	s.f.Send(&pgproto3.Terminate{})
	_ = s.f.Flush()
	_ = s.conn.Close()
}
