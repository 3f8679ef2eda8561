package db

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/haywardhq/hayward/db/internal/pg"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// How much of TLS a connection to PostgreSQL uses; the names are libpq's.
const (
	TLSVerifyFull = "verify-full" // the server proves its name: the default
	TLSVerifyCA   = "verify-ca"   // the server's certificate comes from the authority; its name may be another
	TLSRequire    = "require"     // encrypted, but with whom is not known: only for tests and tunnels
	TLSDisable    = "disable"     // plaintext: for loopback and Unix sockets
)

// PostgresOptions says where a PostgreSQL database is and as whom to enter it. Nothing else does: PG* variables, service
// files, password files and certificates in a home directory are not read.
type PostgresOptions struct {
	Options

	Host     string // a name, an address, or the folder of a Unix socket; must be given
	Port     int    // default 5432
	Database string // must be given
	User     string // must be given
	// Password is for SCRAM; a server that asks for it in another way is told it only over TLS that proved the server's
	// name. The zero value enters without.
	Password sealed.Value
	Schema   string // of the tables; default "public". [DB.Migrate] creates it

	TLS      string // one of TLSVerifyFull and so on; default [TLSVerifyFull]
	CAFile   string // PEM file of the authorities; default: the system's
	CertFile string // PEM file of a client certificate; default: none
	KeyFile  string // PEM file of its key

	Name string // what the server's list of connections shows; default "hayward"

	ConnectTimeout   time.Duration // of one attempt to connect; default 10 s
	StatementTimeout time.Duration // longest statement of a write; default 60 s. A read ends with its context
	LockTimeout      time.Duration // longest wait for other processes' writes; default 30 s
	IdleTimeout      time.Duration // longest pause inside a write before the server ends it, so that a process that hangs keeps nobody out; default 30 s
}

// The keys of [ParsePostgresURL].
var urlKeys = map[string]func(*PostgresOptions, string){
	"sslmode":     func(o *PostgresOptions, v string) { o.TLS = v },
	"sslrootcert": func(o *PostgresOptions, v string) { o.CAFile = v },
	"sslcert":     func(o *PostgresOptions, v string) { o.CertFile = v },
	"sslkey":      func(o *PostgresOptions, v string) { o.KeyFile = v },
	"schema":      func(o *PostgresOptions, v string) { o.Schema = v },
	"host":        func(o *PostgresOptions, v string) { o.Host = v }, // a Unix socket's folder does not fit in front of the path
}

// ParsePostgresURL reads postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=file&schema=name. Keys
// it does not know, several hosts and keys given twice are errors. Errors never quote the URL, which holds a password.
func ParsePostgresURL(text sealed.Value) (o PostgresOptions, err error) {
	u, err := url.Parse(string(reveal.Inside(text)))
	if err != nil {
		return o, badURL("it is not a URL")
	}
	switch {
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return o, badURL("it does not begin with postgres://")
	case u.Opaque != "" || u.Fragment != "" || strings.Count(u.EscapedPath(), "/") != 1:
		return o, badURL("it is not of that form")
	case u.User == nil:
		return o, badURL("it has no user")
	case strings.Contains(u.Host, ","):
		return o, badURL("it names several hosts")
	}
	o.Host, o.Database, o.User = u.Hostname(), u.Path[1:], u.User.Username()
	if word, ok := u.User.Password(); ok {
		o.Password = sealed.NewString(word)
	}
	if p := u.Port(); p != "" {
		if o.Port, err = strconv.Atoi(p); err != nil {
			return o, badURL("its port is not a number")
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return o, badURL("what follows the question mark is not of the form key=value")
	}
	for key, values := range query {
		set := urlKeys[key]
		switch {
		case set == nil:
			return o, badURL("it has a key that is not known here: " + strconv.Quote(key))
		case len(values) != 1 || values[0] == "":
			return o, badURL("the key " + key + " needs one value")
		case key == "host" && u.Host != "":
			return o, badURL("it names the host twice")
		}
		set(&o, values[0])
	}
	return o, o.fill()
}

func badURL(why string) error {
	return fault.New(fault.Invalid, "the URL of the PostgreSQL database cannot be used: %s", why).
		WithHint("write postgres://user:password@host:5432/database?sslmode=verify-full; letters such as @ and / in a password are written %%40 and %%2F; keys are sslmode, sslrootcert, sslcert, sslkey, schema and host")
}

// fill checks the options and puts the defaults in.
func (o *PostgresOptions) fill() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithHint("give host, database and user of the PostgreSQL database, each by itself")
	}
	for _, f := range [...]struct{ name, value string }{{"host", o.Host}, {"database", o.Database}, {"user", o.User}} {
		if f.value == "" {
			return bad("the PostgreSQL database has no %s", f.name)
		}
		if strings.ContainsRune(f.value, 0) || !utf8.ValidString(f.value) {
			return bad("the %s of the PostgreSQL database holds characters that cannot be", f.name)
		}
	}
	if strings.Contains(o.Host, ",") {
		return bad("the PostgreSQL database has several hosts: one is expected")
	}
	o.Port, o.Schema, o.TLS, o.Name = or(o.Port, 5432), or(o.Schema, "public"), or(o.TLS, TLSVerifyFull), or(o.Name, "hayward")
	o.ConnectTimeout, o.StatementTimeout = or(o.ConnectTimeout, 10*time.Second), or(o.StatementTimeout, time.Minute)
	o.LockTimeout, o.IdleTimeout = or(o.LockTimeout, 30*time.Second), or(o.IdleTimeout, 30*time.Second)
	switch {
	case o.Port < 1 || o.Port > 65535:
		return bad("the PostgreSQL database's port is not between 1 and 65535")
	case len(o.Schema) > 63 || strings.ContainsRune(o.Schema, 0) || strings.HasPrefix(o.Schema, "pg_"):
		return bad("%q cannot be the schema of the tables", o.Schema)
	case (o.CertFile == "") != (o.KeyFile == ""):
		return bad("a client certificate needs both its file and its key's")
	case o.TLS == TLSDisable && (o.CAFile != "" || o.CertFile != ""):
		return bad("certificates are given, but TLS is switched off")
	}
	return nil
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// config is what a connection needs. params are the server's settings for it.
func (o *PostgresOptions) config(params map[string]string) (pg.Config, error) {
	t, err := o.tls()
	if err != nil {
		return pg.Config{}, err
	}
	c := pg.Config{Host: o.Host, Port: o.Port, Database: o.Database, User: o.User, TLS: t, Verified: t != nil && o.TLS != TLSRequire,
		Schema: o.Schema, Name: o.Name, ConnectTimeout: o.ConnectTimeout, Params: params}
	if !o.Password.IsZero() {
		word := o.Password
		c.Password = func() []byte { return reveal.Inside(word) }
	}
	return c, nil
}

func (o *PostgresOptions) tls() (*tls.Config, error) {
	if o.TLS == TLSDisable || strings.HasPrefix(o.Host, "/") {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.Host}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the authorities' file of the PostgreSQL database cannot be read")
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Invalid, "the authorities' file of the PostgreSQL database holds no certificate")
		}
	}
	if o.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the client certificate for the PostgreSQL database cannot be read")
		}
		t.Certificates = []tls.Certificate{cert}
	}
	switch o.TLS {
	case TLSVerifyFull:
	case TLSVerifyCA:
		t.InsecureSkipVerify, t.VerifyConnection = true, chainOnly(t.RootCAs)
	case TLSRequire:
		t.InsecureSkipVerify = true
	default:
		return nil, fault.New(fault.Invalid, "there is no TLS mode %q", o.TLS).
			WithHint("modes are %s, %s, %s and %s", TLSVerifyFull, TLSVerifyCA, TLSRequire, TLSDisable)
	}
	return t, nil
}

// chainOnly checks where a certificate comes from, and not whose it is.
func chainOnly(roots *x509.CertPool) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the server shows no certificate")
		}
		v := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			v.Intermediates.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(v)
		return err
	}
}

// where names the database in messages.
func (o *PostgresOptions) where() string {
	if strings.HasPrefix(o.Host, "/") {
		return o.Database + " at " + o.Host
	}
	return o.Database + " at " + net.JoinHostPort(o.Host, strconv.Itoa(o.Port))
}
