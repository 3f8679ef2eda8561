package gcpkms_test

import (
	"bytes"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/keyring/gcpkms"
	"github.com/haywardhq/hayward/vault/keyring/gcpkms/gcptest"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func open(t *testing.T, g *gcptest.Google, change func(*gcpkms.Options)) *gcpkms.KMS {
	t.Helper()
	u, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := egress.NewPolicy(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	o := gcpkms.Options{Key: gcptest.KeyName, ServiceAccount: g.KeyFile(), Endpoint: g.URL, TokenURL: g.URL + "/token", Egress: p, Pause: time.Millisecond}
	if change != nil {
		change(&o)
	}
	k, err := gcpkms.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestARootKeyUnderGoogleCloudKMS(t *testing.T) {
	g := gcptest.New(t)
	st := memory.New()
	k := open(t, g, nil)
	p := keyring.WrappedRoot(filepath.Join(t.TempDir(), "root.key"), k, nil)
	r, err := keyring.Open(t.Context(), st, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := keyring.Open(t.Context(), st, p); err != nil || again.RootID() != r.RootID() {
		t.Fatal(err)
	}
	if n := g.Logins.Load(); n != 1 {
		t.Errorf("logged in %d times", n)
	}
	if k.Name() != "gcpkms:"+gcptest.KeyName {
		t.Error(k.Name())
	}
}

func TestWhatDoesNotUnwrap(t *testing.T) {
	g := gcptest.New(t)
	k := open(t, g, nil)
	ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
	if err != nil || bytes.Contains(ct, []byte("plain")) {
		t.Fatal(err)
	}
	g.Down.Store(2)
	if pt, err := k.Unwrap(t.Context(), ct, "here"); err != nil || string(pt) != "plain" {
		t.Fatalf("%q, %v", pt, err)
	}
	g.Down.Store(1000)
	if _, err := k.Unwrap(t.Context(), ct, "here"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("it is down: %v", err)
	}
	g.Down.Store(0)
	other := strings.Replace(gcptest.KeyName, "root", "other", 1)
	for name, tc := range map[string]struct {
		k    *gcpkms.KMS
		ct   []byte
		aad  string
		kind fault.Kind
	}{
		"another place": {k, ct, "there", fault.Failed}, "changed": {k, append(bytes.Clone(ct), 1), "here", fault.Failed}, "short": {k, nil, "here", fault.Failed},
		"another key":      {open(t, g, func(o *gcpkms.Options) { o.Key = other }), ct, "here", fault.Denied},
		"another account":  {open(t, g, func(o *gcpkms.Options) { o.ServiceAccount = gcptest.New(t).KeyFile() }), ct, "here", fault.Denied},
		"a clock at fault": {open(t, g, func(o *gcpkms.Options) { o.TokenURL = g.URL + "/elsewhere" }), ct, "here", fault.Denied},
		"not allowed":      {open(t, g, func(o *gcpkms.Options) { o.Egress = egress.Policy{} }), ct, "here", fault.Denied},
	} {
		pt, err := tc.k.Unwrap(t.Context(), tc.ct, tc.aad)
		if !fault.Is(err, tc.kind) || pt != nil || strings.Contains(fmt.Sprint(err, fault.From(err).Hint), "canary") {
			t.Errorf("%s: %q, %v", name, pt, err)
		}
	}
}

// Each checksum is looked at: what was changed on the way is not used.
func TestChecksums(t *testing.T) {
	g := gcptest.New(t)
	k := open(t, g, nil)
	ct, err := k.Wrap(t.Context(), []byte("plain"), "here")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"plaintext not verified": func(a map[string]any) { a["verifiedPlaintextCrc32c"] = false }, "aad not verified": func(a map[string]any) { delete(a, "verifiedAdditionalAuthenticatedDataCrc32c") },
		"ciphertext sum": func(a map[string]any) { a["ciphertextCrc32c"] = "1" }, "no ciphertext sum": func(a map[string]any) { delete(a, "ciphertextCrc32c") },
		"ciphertext": func(a map[string]any) { a["ciphertext"] = []byte("other") }, "no ciphertext": func(a map[string]any) { a["ciphertext"], a["ciphertextCrc32c"] = []byte{}, "0" },
	} {
		g.Twist = func(path string, a map[string]any) {
			if strings.HasSuffix(path, ":encrypt") {
				change(a)
			}
		}
		if got, err := k.Wrap(t.Context(), []byte("plain"), "here"); !fault.Is(err, fault.Unavailable) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, change := range map[string]func(map[string]any){
		"plaintext": func(a map[string]any) { a["plaintext"] = []byte("other") }, "sum": func(a map[string]any) { a["plaintextCrc32c"] = "1" },
		"no sum": func(a map[string]any) { delete(a, "plaintextCrc32c") },
	} {
		g.Twist = func(_ string, a map[string]any) { change(a) }
		if got, err := k.Unwrap(t.Context(), ct, "here"); !fault.Is(err, fault.Unavailable) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestATokenIsFetchedAgainWhenItEnds(t *testing.T) {
	g := gcptest.New(t)
	now := time.Now()
	k := open(t, g, func(o *gcpkms.Options) { o.Now = func() time.Time { return now } })
	for _, step := range []struct {
		later time.Duration
		want  int64
	}{{0, 1}, {30 * time.Minute, 1}, {29 * time.Minute, 2}, {time.Hour, 3}} {
		now = now.Add(step.later)
		if _, err := k.Wrap(t.Context(), []byte("p"), "a"); err != nil || g.Logins.Load() != step.want {
			t.Errorf("after %v: %d logins, %v", step.later, g.Logins.Load(), err)
		}
	}
}

func TestOptions(t *testing.T) {
	g := gcptest.New(t)
	account := func(text string) func(*gcpkms.Options) {
		return func(o *gcpkms.Options) { o.ServiceAccount = sealed.NewString(text) }
	}
	for name, change := range map[string]func(*gcpkms.Options){
		"key": func(o *gcpkms.Options) { o.Key = "" }, "version": func(o *gcpkms.Options) { o.Key += "/cryptoKeyVersions/1" }, "dots": func(o *gcpkms.Options) { o.Key = "projects/../locations/l/keyRings/r/cryptoKeys/k" },
		"endpoint": func(o *gcpkms.Options) { o.Endpoint = "ftp://kms" }, "token url": func(o *gcpkms.Options) { o.TokenURL = "::" }, "token scheme": func(o *gcpkms.Options) { o.TokenURL = "ftp://x/" },
		"no account": func(o *gcpkms.Options) { o.ServiceAccount = sealed.Value{} }, "not JSON": account("canary"), "another type": account(`{"type":"authorized_user","client_email":"a"}`),
		"no key": account(`{"type":"service_account","client_email":"a","private_key":"canary"}`),
	} {
		o := gcpkms.Options{Key: gcptest.KeyName, ServiceAccount: g.KeyFile()}
		change(&o)
		if _, err := gcpkms.New(o); !fault.Is(err, fault.Invalid) || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
