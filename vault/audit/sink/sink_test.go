package sink_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/audit/sink"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func write(t testing.TB, l *audit.Logger, tenant string, n int) {
	t.Helper()
	for i := range n {
		ev := audit.Event{Action: "secret.get", Resource: "secret", Name: fmt.Sprint("KEY", i), Details: []audit.Detail{{Key: "layer", Value: "tenant"}}}
		if err := l.Record(t.Context(), scope.Caller{App: "a", Tenant: tenant, User: "ann", IP: "::1"}, ev, audit.Denied); err != nil {
			t.Fatal(err)
		}
	}
}

// target keeps what it gets, and fails as often as it is told to.
type target struct {
	mu     sync.Mutex
	got    []audit.Line
	notes  []string
	fail   int
	closed bool
}

func (s *target) Send(_ context.Context, b sink.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return errors.New("down\nfor maintenance")
	}
	s.got = append(s.got, b.Entries...)
	if b.Checkpoint != "" {
		s.notes = append(s.notes, b.Checkpoint)
	}
	return nil
}

func (s *target) Close() error { s.closed = true; return nil }

// seqs shows what came, by tenant.
func (s *target) seqs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]int64{}
	for _, l := range s.got {
		out[l.TenantID] = append(out[l.TenantID], l.Seq)
	}
	return fmt.Sprint(out)
}

// run starts a runner; stop ends it and waits.
func run(r *sink.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	return func() { cancel(); <-done }
}

func TestASinkGetsEveryEntryInOrderAndGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		l := audit.NewLogger(st)
		write(t, l, "t", 2) // before there is a sink
		first := &target{}
		stop := run(sink.New(l, "one", first, sink.Options{Batch: 3}))
		synctest.Wait()
		write(t, l, "t", 5)
		write(t, l, "u", 1)
		synctest.Wait()
		if got := first.seqs(); got != "map[t:[1 2 3 4 5 6 7] u:[1]]" {
			t.Errorf("got %s", got)
		}
		if stop(); !first.closed {
			t.Error("the target is left open")
		}
		write(t, l, "t", 1)
		again, other := &target{}, &target{}
		defer run(sink.New(l, "one", again, sink.Options{}))()
		defer run(sink.New(l, "two", other, sink.Options{Feed: audit.FeedOptions{App: "a", Tenant: "u"}}))()
		synctest.Wait()
		if got := again.seqs(); got != "map[t:[8]]" {
			t.Errorf("after a restart: %s", got)
		}
		if got := other.seqs(); got != "map[u:[1]]" {
			t.Errorf("one tenant's sink: %s", got)
		}
	})
}

// A sink that is down loses nothing, sounds its alarm once, and does not delay another sink or anybody who writes.
func TestASinkThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := audit.NewLogger(memory.New())
		var alarms []bool
		down, up := &target{fail: 1 << 30}, &target{}
		r := sink.New(l, "down", down, sink.Options{MaxLag: 3, Alarm: func(s sink.Status) { alarms = append(alarms, s.Alarm) }})
		defer run(r)()
		healthy := sink.New(l, "up", up, sink.Options{})
		defer run(healthy)()
		synctest.Wait()
		before := time.Now()
		write(t, l, "t", 5)
		if took := time.Since(before); took != 0 {
			t.Errorf("writing waited %s for a sink", took)
		}
		time.Sleep(10 * time.Minute)
		if got := up.seqs(); got != "map[t:[1 2 3 4 5]]" {
			t.Errorf("the other sink got %s", got)
		}
		s := r.Status()
		if !s.Alarm || s.Lag != 5 || s.Delivered != 0 || s.Failures < 10 || s.Since.IsZero() || s.FailingSince.IsZero() || s.ErrorKind == "" || s.Position != nil || s.Error == "" || strings.Contains(s.Error, "\n") || len(alarms) != 1 {
			t.Errorf("%+v, alarms %v", s, alarms)
		}
		if s.Failures > 60 {
			t.Errorf("%d attempts in ten minutes", s.Failures)
		}
		down.mu.Lock()
		down.fail = 0
		down.mu.Unlock()
		time.Sleep(2 * time.Minute)
		if s := r.Status(); s.Alarm || s.Lag != 0 || s.Delivered != 5 || s.Error != "" || s.ErrorKind != "" || !s.FailingSince.IsZero() || s.Position == nil || s.Position.Seq != 5 || s.Position.Tenant != "t" || fmt.Sprint(alarms) != "[true false]" || healthy.Status().Alarm {
			t.Errorf("%+v, alarms %v", s, alarms)
		}
		if got := down.seqs(); got != "map[t:[1 2 3 4 5]]" {
			t.Errorf("it got %s", got)
		}
	})
}

func TestAnEntryThatWaitsLongIsAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := audit.NewLogger(memory.New())
		r := sink.New(l, "down", &target{fail: 1 << 30}, sink.Options{})
		defer run(r)()
		write(t, l, "t", 1)
		time.Sleep(4 * time.Minute)
		if r.Status().Alarm {
			t.Error("an alarm after four minutes")
		}
		time.Sleep(3 * time.Minute)
		if !r.Status().Alarm {
			t.Error("no alarm after seven minutes")
		}
	})
}

func TestOnlyTheNewestCheckpointWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &target{}
		r := sink.New(audit.NewLogger(memory.New()), "one", to, sink.Options{})
		r.Checkpoint(t.Context(), audit.Checkpoint{Text: "first"})
		r.Checkpoint(t.Context(), audit.Checkpoint{Text: "second"})
		defer run(r)()
		synctest.Wait()
		r.Checkpoint(t.Context(), audit.Checkpoint{Text: "third"})
		synctest.Wait()
		if fmt.Sprint(to.notes) != "[second third]" {
			t.Errorf("%v", to.notes)
		}
	})
}

func batch(n int, name string) sink.Batch {
	var b sink.Batch
	for i := range n {
		b.Entries = append(b.Entries, audit.Line{Entry: audit.Entry{ID: "vaudit_x", AppID: "a", TenantID: "t", Node: "n", Epoch: 1, Seq: int64(i + 1),
			CreatedAt: time.Unix(1700000000, 5000).UTC(), UserID: "ann", Action: "secret.get", Resource: "secret", Key: name, Outcome: audit.Denied,
			Details: []audit.Detail{{Key: "layer", Value: "tenant"}}}, Hash: []byte{1, 2}})
	}
	return b
}

func lines(t testing.TB, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for l := range bytes.Lines(b) {
		if !json.Valid(l) || l[len(l)-1] != '\n' {
			t.Errorf("not a line of JSON: %q", l)
		}
	}
	return bytes.Count(b, []byte{'\n'})
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	var lost []string
	open := func() *sink.File {
		return sink.NewFile(sink.FileOptions{Path: path, MaxBytes: 2000, Keep: 2, Lost: func(p string) { lost = append(lost, p) }})
	}
	f := open()
	send := func(n int) {
		t.Helper()
		if err := f.Send(t.Context(), batch(n, "K")); err != nil {
			t.Fatal(err)
		}
	}
	send(3)
	if n := lines(t, path); n != 3 {
		t.Errorf("%d lines", n)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := f.Send(t.Context(), sink.Batch{Checkpoint: "a\nb\n"}); err != nil || lines(t, path) != 4 {
		t.Errorf("a checkpoint: %v", err)
	}
	t.Run("goes on behind half a line", func(t *testing.T) {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(path)
		if err := os.WriteFile(path, append(b, `{"half`...), 0o600); err != nil {
			t.Fatal(err)
		}
		f = open()
		if send(1); lines(t, path) != 5 {
			t.Error("it does not")
		}
	})
	t.Run("is put aside when it is full", func(t *testing.T) {
		for range 5 {
			send(4)
		}
		found, _ := filepath.Glob(path + "*")
		if len(found) != 3 || lines(t, path) == 0 || lines(t, path+".1") == 0 || lines(t, path+".2") == 0 {
			t.Errorf("%v", found)
		}
	})
	t.Run("is removed, replaced or cut under it", func(t *testing.T) {
		for name, change := range map[string]func() error{
			"removed": func() error { return os.Remove(path) },
			"renamed": func() error { return os.Rename(path, path+".moved") },
			"replaced": func() error {
				return errors.Join(os.WriteFile(path+".new", []byte("{}\n"), 0o600), os.Rename(path+".new", path))
			},
			"cut": func() error { return os.Truncate(path, 10) },
		} {
			lost = nil
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if send(1); len(lost) != 1 || lines(t, path) < 1 {
				t.Errorf("%s: %v", name, lost)
			}
		}
	})
	t.Run("cannot be written", func(t *testing.T) {
		g := sink.NewFile(sink.FileOptions{Path: filepath.Join(dir, "nowhere", "audit.log")})
		if err := g.Send(t.Context(), batch(1, "K")); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
		if err := sink.NewFile(sink.FileOptions{Path: dir}).Send(t.Context(), batch(1, "K")); err == nil {
			t.Error("a directory takes entries")
		}
	})
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// client reaches one server on loopback, which an operator allowed.
func client(t testing.TB, url string) *egress.Client {
	t.Helper()
	p, err := egress.NewPolicy(strings.TrimPrefix(strings.TrimPrefix(url, "http://"), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	return egress.New(p, egress.Options{})
}

func TestWebhook(t *testing.T) {
	key := sealed.NewString("whsec_" + base64.StdEncoding.EncodeToString([]byte("both sides know this key")))
	sign := func(m string) string {
		h := hmac.New(sha256.New, []byte("both sides know this key"))
		io.WriteString(h, m)
		return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	webhook := func(o sink.WebhookOptions) *sink.Webhook {
		t.Helper()
		o.Key = key
		hook, err := sink.NewWebhook(o)
		if err != nil {
			t.Fatal(err)
		}
		return hook
	}
	var status int
	var got []byte
	var header http.Header
	elsewhere := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			elsewhere++
			return
		}
		got, _ = io.ReadAll(r.Body)
		header = r.Header
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	defer srv.Close()
	hook := webhook(sink.WebhookOptions{URL: srv.URL + "/hook", Client: client(t, srv.URL)})
	ids := map[string]bool{}
	for _, status = range []int{200, 204, 301, 302, 307, 308, 400, 401, 429, 500} {
		b := batch(2, "K")
		b.Checkpoint = "signed"
		if err := hook.Send(t.Context(), b); (err == nil) != (status < 300) {
			t.Errorf("%d: %v", status, err)
		}
		ids[header.Get("Webhook-Id")] = true
	}
	if len(ids) != 1 {
		t.Errorf("the same batch has the ids %v", ids)
	}
	if elsewhere != 0 {
		t.Error("a redirect was followed")
	}
	var body struct {
		Entries    []audit.Line
		Checkpoint string
	}
	if err := json.Unmarshal(got, &body); err != nil || len(body.Entries) != 2 || body.Checkpoint != "signed" || body.Entries[1].Seq != 2 {
		t.Errorf("%s: %v", got, err)
	}
	id, at := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	if sent, err := strconv.ParseInt(at, 10, 64); err != nil || time.Since(time.Unix(sent, 0)) > time.Minute ||
		header.Get("Webhook-Signature") != sign(id+"."+at+"."+string(got)) || header.Get("Hayward-Batch") != "vaudit_x" {
		t.Errorf("%v", header)
	}
	if err := hook.Send(t.Context(), batch(1, "other")); err == nil || ids[header.Get("Webhook-Id")] {
		t.Errorf("another batch has the same id: %v", err)
	}
	srv.Close()
	if err := hook.Send(t.Context(), batch(1, "K")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("nobody there: %v", err)
	}
	inside := webhook(sink.WebhookOptions{URL: srv.URL, Client: egress.New(egress.Policy{}, egress.Options{})})
	if err := inside.Send(t.Context(), batch(1, "K")); !fault.Is(err, fault.Denied) {
		t.Errorf("an address nobody allowed: %v", err)
	}
	for _, bad := range []sealed.Value{{}, sealed.NewString("short"), sealed.NewString("whsec_?")} {
		if _, err := sink.NewWebhook(sink.WebhookOptions{URL: srv.URL, Client: client(t, srv.URL), Key: bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	}
}

func TestOTLP(t *testing.T) {
	var got map[string]any
	var path string
	answer := `{}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		_ = json.NewDecoder(r.Body).Decode(&got)
		fmt.Fprint(w, answer)
	}))
	defer srv.Close()
	var rejected int64
	for _, endpoint := range []string{srv.URL, srv.URL + "/v1/logs"} {
		s := sink.NewOTLP(sink.OTLPOptions{Endpoint: endpoint, Client: client(t, srv.URL), Rejected: func(n int64, _ string) { rejected += n }})
		b := batch(1, "K")
		b.Checkpoint = "signed"
		if err := s.Send(t.Context(), b); err != nil || path != "/v1/logs" {
			t.Fatalf("%s: %v", path, err)
		}
		answer = `{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"no"}}`
	}
	if rejected != 2 {
		t.Errorf("%d refused", rejected)
	}
	want := `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hayward"}}]},"scopeLogs":[{"logRecords":[` +
		`{"attributes":[{"key":"hayward.audit.id","value":{"stringValue":"vaudit_x"}},{"key":"hayward.audit.app","value":{"stringValue":"a"}},` +
		`{"key":"hayward.audit.tenant","value":{"stringValue":"t"}},{"key":"hayward.audit.node","value":{"stringValue":"n"}},` +
		`{"key":"hayward.audit.user","value":{"stringValue":"ann"}},{"key":"hayward.audit.action","value":{"stringValue":"secret.get"}},` +
		`{"key":"hayward.audit.resource","value":{"stringValue":"secret"}},{"key":"hayward.audit.key","value":{"stringValue":"K"}},` +
		`{"key":"hayward.audit.outcome","value":{"stringValue":"denied"}},{"key":"hayward.audit.hash","value":{"stringValue":"0102"}},` +
		`{"key":"hayward.audit.epoch","value":{"intValue":"1"}},{"key":"hayward.audit.seq","value":{"intValue":"1"}},` +
		`{"key":"hayward.audit.detail.layer","value":{"stringValue":"tenant"}}],"body":{"stringValue":"secret.get by ann K: denied"},"eventName":"hayward.audit",` +
		`"observedTimeUnixNano":"1700000000000005000","severityNumber":13,"severityText":"WARN","timeUnixNano":"1700000000000005000"},`
	have, _ := json.Marshal(got)
	if !strings.HasPrefix(string(have), want) || !strings.Contains(string(have), "hayward.audit.checkpoint") {
		t.Errorf("got\n%s\nwant\n%s", have, want)
	}
}

// readSyslog reads messages that are preceded by their length.
func readSyslog(conn net.Conn, out chan<- string) {
	r := bufio.NewReader(conn)
	for {
		n, err := r.ReadString(' ')
		size, err2 := strconv.Atoi(strings.TrimSpace(n))
		if err != nil || err2 != nil {
			return
		}
		msg := make([]byte, size)
		if _, err := io.ReadFull(r, msg); err != nil {
			return
		}
		out <- string(msg)
	}
}

func TestSyslog(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	got, conns := make(chan string, 100), make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns <- conn
			go readSyslog(conn, got)
		}
	}()
	addr := listener.Addr().String()
	s := sink.NewSyslog(sink.SyslogOptions{Dial: sink.DialTCP(client(t, addr), addr), Hostname: "höst name"})
	defer s.Close()
	b := batch(1, "na\"me]\\ \u202eevil\nFORGED ü")
	b.Checkpoint = "line one\nline two\n"
	if err := s.Send(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	msg := <-got
	want := regexp.MustCompile(`^<108>1 2023-11-14T22:13:20\.000005Z h_st_name hayward - secret\.get \[audit@32473 id="vaudit_x" app="a" tenant="t" ` +
		`node="n" user="ann" action="secret\.get" resource="secret" key="na\\"me\\]\\\\ \\\\u\{202e\}evil\\\\u\{a\}FORGED ü" outcome="denied" hash="0102" epoch="1" seq="1"\] \{`)
	if !want.MatchString(msg) || strings.ContainsAny(msg, "\n\r\u202e") {
		t.Errorf("got %s", msg)
	}
	var line audit.Line
	if err := json.Unmarshal([]byte(msg[strings.Index(msg, "] {")+2:]), &line); err != nil || line.Key != b.Entries[0].Key {
		t.Errorf("%+v, %v", line, err)
	}
	if msg := <-got; !strings.HasPrefix(msg, "<110>1 ") || !strings.HasSuffix(msg, `audit.checkpoint - line one\u{a}line two\u{a}`) {
		t.Errorf("got %s", msg)
	}
	// The other side closes: the next batch finds out and connects again, at most after one that fails.
	_ = (<-conns).Close()
	for range 100 {
		if err := s.Send(t.Context(), batch(1, "K")); err != nil {
			continue
		}
		select {
		case <-got:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Error("it does not connect again")
}

func TestSyslogRefusesWhatNobodyAllowed(t *testing.T) {
	none := egress.New(egress.Policy{}, egress.Options{})
	for name, dial := range map[string]func(context.Context) (net.Conn, error){
		"tcp": sink.DialTCP(none, "127.0.0.1:514"), "tls": sink.DialTLS(none, "127.0.0.1:6514", nil),
	} {
		if err := sink.NewSyslog(sink.SyslogOptions{Dial: dial}).Send(t.Context(), batch(1, "K")); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := sink.NewSyslog(sink.SyslogOptions{Dial: sink.DialTLS(none, "nowhere", nil)}).Send(t.Context(), batch(1, "K")); !fault.Is(err, fault.Invalid) {
		t.Errorf("no port: %v", err)
	}
}

func TestSyslogOverTLSAndDatagrams(t *testing.T) {
	srv := httptest.NewTLSServer(nil) // for its certificate
	conf := srv.TLS.Clone()
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig
	srv.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	got := make(chan string, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go readSyslog(tlsServer(conn, conf), got)
		}
	}()
	addr := listener.Addr().String()
	s := sink.NewSyslog(sink.SyslogOptions{Dial: sink.DialTLS(client(t, addr), addr, roots)})
	defer s.Close()
	if err := s.Send(t.Context(), batch(1, "K")); err != nil || !strings.Contains(<-got, `key="K"`) {
		t.Error(err)
	}
	if err := sink.NewSyslog(sink.SyslogOptions{Dial: sink.DialTLS(client(t, addr), addr, nil)}).Send(t.Context(), batch(1, "K")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a certificate nobody signed: %v", err)
	}
	path := filepath.Join(t.TempDir(), "s")
	unix, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Skip("part missing: Unix datagram sockets")
	}
	defer unix.Close()
	d := sink.NewSyslog(sink.SyslogOptions{Datagram: true, Dial: func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unixgram", path) }})
	defer d.Close()
	if err := d.Send(t.Context(), batch(1, "K")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	if n, _, err := unix.ReadFrom(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "<108>1 ") {
		t.Errorf("%q, %v", buf[:n], err)
	}
}
