package pg

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Config says where a connection goes and as whom.
type Config struct {
	Host           string // name, address, or the folder of a Unix socket
	Port           int
	Database, User string
	Password       func() []byte // nil: none
	TLS            *tls.Config   // nil: plaintext
	Verified       bool          // the server has proved who it is, so that it may be told the password itself
	Schema         string
	Name           string        // as the server's lists show it
	ConnectTimeout time.Duration // of one attempt
	Params         map[string]string
	OnNotification func(channel, payload string)
}

// Open returns a connector for database/sql.
func (c Config) Open() driver.Connector { return connector{c} }

type connector struct{ c Config }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) { return c.c.Connect(ctx) }
func (c connector) Driver() driver.Driver                            { return onlyConnector{} }

type onlyConnector struct{}

func (onlyConnector) Open(string) (driver.Conn, error) {
	return nil, errors.New("a connection is opened from a Config")
}

// Connect opens one connection.
func (c Config) Connect(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.ConnectTimeout)
	defer cancel()
	conf, err := blank()
	if err != nil {
		return nil, err
	}
	c.fill(conf)
	p, err := pgconn.ConnectConfig(ctx, conf)
	conf.Password = ""
	if err != nil {
		return nil, err
	}
	return newConn(p), nil
}

func (c Config) fill(conf *pgconn.Config) {
	conf.Host, conf.Port, conf.Database, conf.User = c.Host, uint16(c.Port), c.Database, c.User
	conf.RequireAuth = "none"
	if c.Password != nil {
		conf.Password = string(c.Password())
		conf.RequireAuth = "scram-sha-256"
		if c.Verified {
			conf.RequireAuth = "scram-sha-256,md5,password"
		}
	}
	conf.TLSConfig = c.TLS
	conf.ConnectTimeout = c.ConnectTimeout
	// A peer that is gone is noticed within half a minute, also while nothing is sent.
	d := net.Dialer{Timeout: c.ConnectTimeout, Control: boundSending, KeepAliveConfig: net.KeepAliveConfig{Enable: true,
		Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}
	conf.DialFunc = d.DialContext
	conf.RuntimeParams = map[string]string{"application_name": c.Name, "client_encoding": "UTF8", "search_path": quoteIdent(c.Schema) + ", pg_temp",
		"standard_conforming_strings": "on", "bytea_output": "hex", "DateStyle": "ISO", "TimeZone": "UTC", "extra_float_digits": "1",
		"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "30000"}
	for k, v := range c.Params {
		conf.RuntimeParams[k] = v
	}
	if c.OnNotification != nil {
		conf.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { c.OnNotification(n.Channel, n.Payload) }
		conf.BuildContextWatcherHandler = func(p *pgconn.PgConn) ctxwatch.Handler { // waiting ends, nothing has to be canceled
			return &pgconn.DeadlineContextWatcherHandler{Conn: p.Conn()}
		}
	}
}

// blank returns a configuration that says nothing yet. The library wants it made by its ParseConfig, which reads PG*
// variables, the service file, the password file and certificates of the home directory, and fails when one of those is
// wrong; there is no way to tell it not to. So the mark that ParseConfig leaves is set here, and every field by fill.
func blank() (*pgconn.Config, error) {
	conf := &pgconn.Config{
		BuildFrontend: pgproto3.NewFrontend,
		LookupFunc:    new(net.Resolver).LookupHost,
		BuildContextWatcherHandler: func(c *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 5 * time.Second}
		},
		OnPgError:      func(_ *pgconn.PgConn, e *pgconn.PgError) bool { return !strings.EqualFold(e.Severity, "FATAL") },
		ChannelBinding: "prefer",
	}
	mark := reflect.ValueOf(conf).Elem().FieldByName("createdByParseConfig")
	if !mark.IsValid() || mark.Kind() != reflect.Bool {
		return nil, errors.New("this version of pgconn makes configurations in another way")
	}
	*(*bool)(unsafe.Pointer(mark.UnsafeAddr())) = true
	return conf, nil
}

func quoteIdent(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// Millis writes a duration as PostgreSQL's settings want it; 0 switches a timeout off.
func Millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
