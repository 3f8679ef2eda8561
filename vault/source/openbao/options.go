package openbao

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/source"
)

// Options configures [New]. Address and Auth are needed; the zero value of everything else is its default.
type Options struct {
	Address   string // "https://bao.internal:8200"; nothing but an origin. Plain http is for a loopback address
	Auth      Auth   // how to log in: Token, AppRole or Kubernetes
	Namespace string // header X-Vault-Namespace; default none
	Mount     string // where KV version 2 is mounted; default "secret"
	Field     string // of keys that name none; default "value"
	Name      string // default "openbao"

	// Client sends. nil: one is made that reaches what Egress allows and trusts CA besides the system's roots.
	Client *egress.Client
	Egress egress.Policy
	CA     []byte // PEM

	Timeout      time.Duration // of one request; default 10 s
	Attempts     int           // for an answer that asks to come again (5xx, 429, 412) or none; default 4
	Backoff      time.Duration // before the second attempt, doubled for each further one and spread; default 200 ms
	MaxWait      time.Duration // the longest wait between two attempts, also if the server asks for more; default 5 s
	MaxResponse  int64         // bytes of an answer; default 1 MiB
	MaxSize      int64         // bytes of a value; default 64 KiB
	MaxList      int           // keys and folders that a list looks at; default 1000
	PollInterval time.Duration // of each watch; default 30 s: the server does not tell of changes
	MaxWatchers  int           // default 1024
	Logger       *slog.Logger  // default: nowhere
}

// withDefaults checks and fills in.
func (o Options) withDefaults() (Options, sealed.Destination, error) {
	dest, err := checkAddress(o.Address)
	if err != nil {
		return o, dest, err
	}
	if o.Auth == nil {
		return o, dest, fault.New(fault.Invalid, "nothing says how to log in at %s", o.Address).
			WithHint("set Auth to a Token, an AppRole or Kubernetes")
	}
	text := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	text(&o.Mount, "secret")
	text(&o.Field, "value")
	text(&o.Name, "openbao")
	positive(&o.Timeout, 10*time.Second)
	positive(&o.Attempts, 4)
	positive(&o.Backoff, 200*time.Millisecond)
	positive(&o.MaxWait, 5*time.Second)
	positive(&o.MaxResponse, 1<<20)
	positive(&o.MaxSize, source.DefaultMaxSize)
	positive(&o.MaxList, 1000)
	positive(&o.PollInterval, source.DefaultPollInterval)
	positive(&o.MaxWatchers, source.DefaultMaxWatchers)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Mount, err = checkPath("mount", strings.Trim(o.Mount, "/")); err != nil {
		return o, dest, err
	}
	if ns := strings.Trim(o.Namespace, "/"); ns != "" {
		if o.Namespace, err = checkPath("namespace", ns); err != nil {
			return o, dest, err
		}
	}
	if o.Client == nil {
		o.Client, err = newClient(o.Egress, o.CA)
	}
	return o, dest, err
}

func positive[T int | int64 | time.Duration](n *T, def T) {
	if *n <= 0 {
		*n = def
	}
}

// checkAddress wants an origin, over TLS unless it never leaves the machine: a token in plain text is anybody's.
func checkAddress(address string) (sealed.Destination, error) {
	dest, err := sealed.ParseDestination(address)
	if err != nil {
		return dest, err
	}
	u, err := url.Parse(address)
	if err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return dest, fault.New(fault.Invalid, "the address of an OpenBao server is an origin, without a path").
			WithHint("write for example https://bao.internal:8200; mount and namespace are settings of their own")
	}
	if dest.Scheme() == "http" && !isLoopback(dest.Host()) {
		return dest, fault.New(fault.Invalid, "the address %s is not over TLS: its token would travel in plain text", dest).
			WithHint("use https; plain http is for a server or agent on a loopback address")
	}
	return dest, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"
}

func newClient(p egress.Policy, ca []byte) (*egress.Client, error) {
	o := egress.Options{ResponseHeaderTimeout: time.Minute, MaxIdleConnsPerHost: 16}
	if len(ca) > 0 {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(ca) {
			return nil, fault.New(fault.Invalid, "the CA of an OpenBao server holds no certificate in PEM form")
		}
		o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return egress.New(p, o), nil
}

// checkPath refuses what cannot be a path on the server: empty parts, dots alone, control characters. Everything else is
// escaped when it is sent.
func checkPath(what, path string) (string, error) {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || strings.Contains(part, "..") { // the server refuses two dots anywhere
			return "", fault.New(fault.Invalid, "the %s has an empty part, or dots that lead elsewhere", what).At(fault.Where{Field: what})
		}
	}
	for i := range len(path) {
		if path[i] < 0x20 || path[i] == 0x7f {
			return "", fault.New(fault.Invalid, "the %s holds a control character", what).At(fault.Where{Field: what})
		}
	}
	return path, nil
}

// escape writes a path for a URL, part by part.
func escape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
