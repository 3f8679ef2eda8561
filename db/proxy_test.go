package db_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/internal/parts"
)

// proxy stands between a program and its PostgreSQL.
type proxy struct {
	net.Listener
	to      string
	cert    *tls.Certificate // not nil: it speaks TLS
	refuse  atomic.Bool      // new connections
	cut     atomic.Int32     // at the next COMMIT: cutBefore it is passed on, or cutAfter
	commits atomic.Int32     // that were cut
}

const (
	cutBefore = 1
	cutAfter  = 2
)

func newProxy(t *testing.T, p parts.PostgresDatabase, cert *tls.Certificate) (*proxy, db.PostgresOptions) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	x := &proxy{Listener: l, to: net.JoinHostPort(p.Host, strconv.Itoa(p.Port)), cert: cert}
	go x.serve()
	o := dbtest.PostgresOptions(p)
	o.Host, o.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	return x, o
}

func (x *proxy) serve() {
	for {
		c, err := x.Accept()
		if err != nil {
			return
		}
		if x.refuse.Load() {
			_ = c.Close()
			continue
		}
		go x.pass(c)
	}
}

func (x *proxy) pass(c net.Conn) {
	defer func() { _ = c.Close() }()
	if x.cert != nil {
		request := make([]byte, 8)
		if _, err := io.ReadFull(c, request); err != nil || !bytes.Equal(request[4:], []byte{4, 210, 22, 47}) {
			return // not the wish for TLS (protocol-message-formats, SSLRequest)
		}
		_, _ = c.Write([]byte("S"))
		c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*x.cert}})
	}
	server, err := net.Dial("tcp", x.to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(c, server); _ = c.Close() }()
	buf := make([]byte, 1<<16)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		how := int32(0)
		if bytes.Contains(buf[:n], []byte("COMMIT\x00")) {
			if how = x.cut.Swap(0); how != 0 {
				x.commits.Add(1)
			}
		}
		if how == cutBefore {
			return
		}
		if how == cutAfter {
			_ = c.Close() // whatever the server answers now, nobody hears it
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if how == cutAfter {
			time.Sleep(50 * time.Millisecond) // the server has it
			return
		}
	}
}

// TestACommitWhoseAnswerIsLost: the server is asked what became of it.
func TestACommitWhoseAnswerIsLost(t *testing.T) {
	x, o := newProxy(t, parts.Postgres(t), nil)
	d, err := db.OpenPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), schema); err != nil {
		t.Fatal(err)
	}
	write := func(k string, how int32) (told, after bool, err error) {
		x.cut.Store(how)
		stop := d.Listen("t", func(m db.Message) { told = told || m.Body == k })
		defer stop()
		err = d.Update(t.Context(), func(tx *db.Tx) error {
			tx.Notify("t", k)
			tx.AfterCommit(nil, func() error { after = true; return nil })
			return insert(t.Context(), tx, k)
		})
		return told, after, err
	}
	if told, after, err := write("kept", cutAfter); err != nil || !told || !after {
		t.Errorf("the commit came through, its answer did not: %v, %v, %v", err, told, after)
	}
	if told, after, err := write("lost", cutBefore); !fault.Is(err, fault.Unavailable) || fault.From(err).Code == "outcome_unknown" || told || after {
		t.Errorf("the commit did not come through: %v, %v, %v", err, told, after)
	}
	x.cut.Store(cutAfter)
	err = d.Update(context.Background(), func(tx *db.Tx) error { x.refuse.Store(true); return insert(context.Background(), tx, "unknown") })
	if !fault.Is(err, fault.Unavailable) || fault.From(err).Code != "outcome_unknown" {
		t.Errorf("nobody can be asked: %v", err)
	}
	if err := put(d, "away", 1); !fault.Is(err, fault.Unavailable) || fault.From(err).Code == "outcome_unknown" {
		t.Errorf("while the server is away: %v", err)
	}
	x.refuse.Store(false)
	if err := put(d, "back", 1); err != nil || keys(t, d) != "back kept unknown" || x.commits.Load() != 3 {
		t.Errorf("when it is back: %v, kept %q, %d commits were cut", err, keys(t, d), x.commits.Load())
	}
}

// authority makes a certificate for an address, and the file of the authority that signed it.
func authority(t *testing.T, address string) (tls.Certificate, string) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(address)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	must(err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestTLS(t *testing.T) {
	p := parts.Postgres(t)
	right, rightFile := authority(t, "127.0.0.1")
	otherName, otherNameFile := authority(t, "192.0.2.1")
	_, stranger := authority(t, "127.0.0.1")
	for name, tc := range map[string]struct {
		cert *tls.Certificate
		mode string
		file string
		ok   bool
	}{
		"verified":                              {&right, "", rightFile, true},
		"another authority":                     {&right, "", stranger, false},
		"the system's authorities":              {&right, "", "", false},
		"another name":                          {&otherName, db.TLSVerifyFull, otherNameFile, false},
		"another name, only the authority":      {&otherName, db.TLSVerifyCA, otherNameFile, true},
		"another authority, only the authority": {&otherName, db.TLSVerifyCA, stranger, false},
		"encrypted, nobody knows with whom":     {&otherName, db.TLSRequire, "", true},
		"a server without TLS":                  {nil, db.TLSRequire, "", false},
		"a server without TLS, by default":      {nil, "", rightFile, false},
		"a file that is not there":              {&right, "", "/nowhere/at/all", false},
		"a file of something else":              {&right, "", os.Args[0], false},
	} {
		t.Run(name, func(t *testing.T) {
			_, o := newProxy(t, p, tc.cert)
			o.TLS, o.CAFile, o.ConnectTimeout = tc.mode, tc.file, 5*time.Second
			d, err := db.OpenPostgres(t.Context(), o)
			if err == nil {
				err = d.Close()
			}
			if (err == nil) != tc.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}
