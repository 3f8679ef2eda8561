package postgresrole

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/rotation"
)

// Kind is the name under which policies ask for this rotator.
const Kind = "postgres-role"

// Options is how to reach databases.
type Options struct {
	// Dial opens a connection; it must be given, and decides which addresses may be reached: egress.Client.Dial does.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS holds extra roots. The server's name is always checked, and TLS is 1.2 at least.
	TLS *tls.Config
	// AllowPlaintext lets policies do without TLS. Passwords are not told then either, but what is sent can be read and
	// changed on the way: for databases on loopback.
	AllowPlaintext bool
	// LoopbackPlaintext lets policies do without TLS on this machine alone: the host must be named as such (localhost, 127.0.0.1,
	// ::1), and the connection must end at a loopback address.
	LoopbackPlaintext bool
}

// mayBePlain reports whether a policy may do without TLS.
func (o Options) mayBePlain(host string) bool {
	return o.AllowPlaintext || o.LoopbackPlaintext && isLoopback(host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// onLoopback refuses a connection that a name of this machine led elsewhere.
func onLoopback(conn net.Conn) error {
	if addr, ok := conn.RemoteAddr().(*net.TCPAddr); ok && addr.IP.IsLoopback() {
		return nil
	}
	return fault.New(fault.Denied, "the database is not on this machine, and is reached over TLS only")
}

// Rotator is the rotator. It is safe for concurrent use.
type Rotator struct{ o Options }

// New returns a rotator.
func New(o Options) *Rotator { return &Rotator{o} }

// Initial reports that it can make the first value of a secret.
func (r *Rotator) Initial() bool { return true }

// CheckParams refuses parameters that do not fit, see [Params].
func (r *Rotator) CheckParams(raw json.RawMessage) error {
	p, err := parseParams(raw)
	if err == nil && p.Plaintext && !r.o.mayBePlain(p.Host) {
		hint := "the operator can allow plaintext"
		if r.o.LoopbackPlaintext {
			hint = "plaintext is for a database on localhost; the operator can give certificates to trust"
		}
		return fault.New(fault.Denied, "databases are reached over TLS only here").At(fault.Where{Field: "plaintext"}).WithHint("%s", hint)
	}
	return err
}

func (r *Rotator) server(s rotation.Step) (Params, server, error) {
	if err := r.CheckParams(s.Params); err != nil {
		return Params{}, server{}, err
	}
	p, err := parseParams(s.Params)
	if err != nil {
		return p, server{}, err
	}
	if r.o.Dial == nil {
		return p, server{}, fault.New(fault.Internal, "the rotator of PostgreSQL roles has no dialer")
	}
	out := server{dial: r.o.Dial, host: p.Host, port: p.Port, database: p.Database, here: p.Plaintext && !r.o.AllowPlaintext}
	if !p.Plaintext {
		out.tls = &tls.Config{}
		if r.o.TLS != nil {
			out.tls = r.o.TLS.Clone()
		}
		out.tls.ServerName, out.tls.InsecureSkipVerify, out.tls.MinVersion = p.Host, false, max(out.tls.MinVersion, tls.VersionTLS12)
	}
	return p, out, nil
}

// Create makes the login of the other role, with a new password.
func (r *Rotator) Create(_ context.Context, s rotation.Step) (sealed.Value, error) {
	p, _, err := r.server(s)
	if err != nil {
		return sealed.Value{}, err
	}
	return p.next(s.Current)
}

// Set gives the other role the password of the pending value, making the role if there is none.
func (r *Rotator) Set(ctx context.Context, s rotation.Step) error {
	p, srv, err := r.server(s)
	if err != nil {
		return err
	}
	l, err := p.own(s.Pending)
	if err != nil {
		return err
	}
	stored, err := verifier([]byte(l.Password), s.Token, l.Username)
	if err != nil {
		return err
	}
	return r.asAdmin(ctx, s, p, srv, func(q func(string, ...any) ([]string, error)) error {
		special, err := q("SELECT CASE WHEN rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls THEN 'yes' ELSE 'no' END "+
			"FROM pg_catalog.pg_roles WHERE rolname = '%s'", l.Username)
		switch {
		case err != nil:
			return err
		case len(special) == 0:
			_, err = q(`CREATE ROLE "%s" LOGIN PASSWORD '%s'`, l.Username, stored)
		case special[0] != "no":
			return fault.New(fault.Denied, "the role %s has special rights in the database", l.Username).WithCode("SpecialRole").
				WithHint("alternate two plain roles that get their rights from a group")
		default:
			_, err = q(`ALTER ROLE "%s" LOGIN PASSWORD '%s'`, l.Username, stored)
		}
		if err != nil {
			return err
		}
		_, err = q(`GRANT "%s" TO "%s"`, p.Group, l.Username)
		return err
	})
}

// own reads a login that must be of one of the two roles.
func (p Params) own(v sealed.Value) (login, error) {
	l, _, err := readLogin(reveal.Inside(v), "the version")
	if err == nil && l.Username != p.Roles[0] && l.Username != p.Roles[1] {
		err = fault.New(fault.Failed, "the version is not of one of the two roles").WithCode("NotALogin")
	}
	return l, err
}

// asAdmin logs in as the administrator and hands over a way to run statements. Names and verifiers hold nothing that could
// end a literal: rolePattern and base64 see to that.
func (r *Rotator) asAdmin(ctx context.Context, s rotation.Step, p Params, srv server,
	fn func(query func(format string, args ...any) ([]string, error)) error) error {
	value, err := s.Secret(ctx, p.Admin)
	if err != nil {
		return err
	}
	dest, err := p.destination()
	if err != nil {
		return err
	}
	raw, err := reveal.For(value, dest)
	if err != nil {
		return err
	}
	admin, _, err := readLogin(raw, "the administrator's secret")
	if err != nil {
		return err
	}
	c, err := srv.login(ctx, admin)
	if err != nil {
		return err
	}
	defer c.close()
	return fn(func(format string, args ...any) ([]string, error) { return c.query(ctx, fmt.Sprintf(format, args...)) })
}

// Test logs in with the pending value.
func (r *Rotator) Test(ctx context.Context, s rotation.Step) error {
	p, srv, err := r.server(s)
	if err != nil {
		return err
	}
	l, err := p.own(s.Pending)
	if err != nil {
		return err
	}
	c, err := srv.login(ctx, l)
	if err != nil {
		return err
	}
	defer c.close()
	who, err := c.query(ctx, "SELECT session_user")
	if err == nil && (len(who) != 1 || who[0] != l.Username) {
		err = fault.New(fault.Failed, "the login leads to another role")
	}
	return err
}

// Retire takes the former role's password away, unless the former value was of another role than the two, or of the one
// that is served now.
func (r *Rotator) Retire(ctx context.Context, s rotation.Step) error {
	p, srv, err := r.server(s)
	if err != nil || s.Previous.IsZero() {
		return err
	}
	now, err := p.own(s.Current)
	if err != nil {
		return err
	}
	former, err := p.own(s.Previous)
	if err != nil || former.Username == now.Username {
		return nil // a login that this rotator did not make is not its to take away
	}
	return r.asAdmin(ctx, s, p, srv, func(q func(string, ...any) ([]string, error)) error {
		_, err := q(`ALTER ROLE "%s" PASSWORD NULL`, former.Username)
		if err != nil && fault.From(err).Code == "NoSuchRole" {
			return nil
		}
		return err
	})
}
