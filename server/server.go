package server

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// Options configures [Listen]. The zero value of each field is usable, but for Address and Handler.
type Options struct {
	Address string // "127.0.0.1:1416"
	Handler http.Handler
	Log     *slog.Logger

	// CertFile and KeyFile turn TLS on; both are read again when they change.
	CertFile, KeyFile string
	// PlaintextOffLoopback serves without TLS on an address that others can reach.
	PlaintextOffLoopback bool

	// CertCheck is how often the certificate's files are looked at; default 1 min.
	CertCheck time.Duration

	Grace          time.Duration // how long requests under way may take at shutdown; default 15 s
	HeaderTimeout  time.Duration // of a request's headers; default 10 s
	ReadTimeout    time.Duration // of a whole request; default 2 min
	WriteTimeout   time.Duration // of a whole answer, streams excepted; default 11 min
	MaxHeaderBytes int           // default 64 KiB
}

// Server is a listening server.
type Server struct {
	http  *http.Server
	ln    net.Listener
	grace time.Duration
	log   *slog.Logger
	tls   bool
	busy  atomic.Int64 // requests under way
}

// counted keeps count of the requests under way: a closed connection does not mean that its handler has returned.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.busy.Add(1)
		defer s.busy.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// Listen takes the address and returns a server that is ready to [Server.Serve].
func Listen(ctx context.Context, o Options) (*Server, error) {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.CertCheck, time.Minute)
	def(&o.Grace, 15*time.Second)
	def(&o.HeaderTimeout, 10*time.Second)
	def(&o.ReadTimeout, 2*time.Minute)
	def(&o.WriteTimeout, 11*time.Minute)
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = 64 << 10
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, fault.New(fault.Invalid, "TLS needs both a certificate file and a key file")
	}
	secure := o.CertFile != ""
	if !secure && !o.PlaintextOffLoopback {
		if err := mustBeLoopback(o.Address); err != nil {
			return nil, err
		}
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "cannot listen on %s", o.Address).
			WithHint("another process may use the port: stop it, or choose another address with the setting listen")
	}
	if !secure && !o.PlaintextOffLoopback && !isLoopback(ln.Addr()) {
		ln.Close()
		return nil, plaintext(o.Address)
	}
	s := &Server{ln: ln, grace: o.Grace, log: o.Log, tls: secure}
	s.http = &http.Server{
		Handler: s.counted(o.Handler), ReadHeaderTimeout: o.HeaderTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: o.MaxHeaderBytes, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	if secure {
		certs := &certificates{cert: o.CertFile, key: o.KeyFile, log: o.Log, every: o.CertCheck}
		if _, err := certs.load(); err != nil {
			ln.Close()
			return nil, err
		}
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certs.get, NextProtos: []string{"h2", "http/1.1"}}
	}
	return s, nil
}

func plaintext(address string) *fault.Error {
	return fault.New(fault.Invalid, "serving without TLS on %s is refused: passwords and tokens would cross the network in plain text", address).
		WithHint("set tls-cert and tls-key; or listen on 127.0.0.1; or, behind a proxy that does TLS, say so in so many words (see the settings)")
}

func mustBeLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fault.New(fault.Invalid, "%q is not an address to listen on", address).WithHint("write for example 127.0.0.1:1416")
	}
	if host == "localhost" {
		return nil
	}
	if a, err := netip.ParseAddr(host); err != nil || !a.Unmap().IsLoopback() {
		return plaintext(address)
	}
	return nil
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// IsLoopback reports whether address is on this machine only.
func IsLoopback(address string) bool { return mustBeLoopback(address) == nil }

// URL returns where the server listens.
func (s *Server) URL() string {
	if s.tls {
		return "https://" + s.ln.Addr().String()
	}
	return "http://" + s.ln.Addr().String()
}

// Serve serves until ctx ends, then waits for requests under way, for the grace time at the most.
func (s *Server) Serve(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() {
		if s.tls {
			failed <- s.http.ServeTLS(s.ln, "", "")
			return
		}
		failed <- s.http.Serve(s.ln)
	}()
	select {
	case err := <-failed:
		return fault.Wrap(fault.Unavailable, err, "the server stopped")
	case <-ctx.Done():
	}
	s.log.Info("shutting down", "grace", s.grace.String())
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	if err := s.http.Shutdown(end); err != nil {
		s.log.Warn("requests were cut off at shutdown", "error", err)
		err := s.http.Close()
		s.drain()
		return err
	}
	return nil
}

// cutOff is how long a request whose connection was closed may take to notice and to write down how it ended.
const cutOff = 5 * time.Second

// drain waits for handlers whose connections were closed: what they use is closed next.
func (s *Server) drain() {
	for end := time.Now().Add(cutOff); s.busy.Load() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.log.Error("requests went on after their connections were closed", "count", s.busy.Load())
			return
		}
	}
}
