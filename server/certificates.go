package server

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/haywardhq/hayward/fault"
)

// certificates serves the certificate of two files, and takes a new one soon after it was written. A new one that cannot
// be used leaves the old one in place, and is tried again.
type certificates struct {
	cert, key string
	log       *slog.Logger
	every     time.Duration // how often the files are looked at
	current   atomic.Pointer[loaded]
}

type loaded struct {
	cert    *tls.Certificate
	files   [2]stamp
	checked time.Time
}

// stamp tells one version of a file from another.
type stamp struct {
	written time.Time
	size    int64
}

func (c *certificates) load() (*loaded, error) {
	files := c.stamps() // before reading: a file that changes meanwhile is read again
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the TLS certificate %s and its key cannot be used", c.cert).
			WithHint("both files are PEM; the key belongs to the first certificate and has no password")
	}
	c.warn(pair.Leaf)
	l := &loaded{cert: &pair, files: files, checked: time.Now()}
	c.current.Store(l)
	return l, nil
}

// warn says loudly that clients will not accept the certificate, or soon no more.
func (c *certificates) warn(leaf *x509.Certificate) {
	if leaf == nil {
		return
	}
	switch left := time.Until(leaf.NotAfter); {
	case left <= 0:
		c.log.Error("the TLS certificate has expired", "file", c.cert, "expired", leaf.NotAfter)
	case left < 7*24*time.Hour:
		c.log.Warn("the TLS certificate expires within a week", "file", c.cert, "expires", leaf.NotAfter)
	}
}

func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	l := c.current.Load()
	if time.Since(l.checked) < c.every {
		return l.cert, nil
	}
	if c.stamps() != l.files {
		fresh, err := c.load()
		if err == nil {
			return fresh.cert, nil
		}
		c.log.Error("the new TLS certificate cannot be used; the old one stays", "error", err)
	}
	c.current.CompareAndSwap(l, &loaded{cert: l.cert, files: l.files, checked: time.Now()})
	return l.cert, nil
}

func (c *certificates) stamps() (out [2]stamp) {
	for i, path := range [2]string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil {
			out[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return out
}
