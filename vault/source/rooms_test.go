package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/secret"
	"github.com/haywardhq/hayward/vault/source"
	"github.com/haywardhq/hayward/vault/source/sourcetest"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func TestTheEnvironmentIsReadByPermission(t *testing.T) {
	for name, raw := range map[string]string{"DB_HOST": "bare", "MYAPP_DB_HOST": "own", "MYAPP_OTHER": "other", "MYAPP_EMPTY": "", "PGPASSWORD": "pg",
		"AWS_SECRET_ACCESS_KEY": "aws", "HAYWARD_ROOT_KEY": "root", "HTTPS_PROXY": "proxy", "VAULT_TOKEN": "token", "A_B": "ab"} {
		t.Setenv(name, raw)
	}
	for _, tc := range []struct {
		prefix string
		allow  []string
		key    string
		want   string
	}{
		{"myapp", nil, "db-host", "own"},
		{"MYAPP", nil, "db_host", "own"},
		{"MYAPP_", nil, "DB_HOST", "own"},
		{"myapp", nil, "empty", "<none>"},
		{"myapp", nil, "nope", "<none>"},
		{"myapp", []string{"MYAPP_DB_HOST"}, "db-host", "own"},
		{"myapp", []string{"MYAPP_DB_HOST"}, "other", "<none>"},
		{"", nil, "db-host", "<none>"},
		{"", []string{"DB_HOST"}, "db-host", "bare"},
		{"", []string{"DB_HOST"}, "myapp-db-host", "<none>"},
		{"", []string{"PGPASSWORD", "HTTPS_PROXY", "VAULT_TOKEN"}, "PGPASSWORD", "<none>"},
		{"", []string{"HTTPS_PROXY"}, "https-proxy", "<none>"},
		{"", []string{"VAULT_TOKEN"}, "vault-token", "<none>"},
		{"aws", nil, "secret-access-key", "<none>"},
		{"hayward", nil, "root-key", "<none>"},
		{"a", nil, "b", "ab"},
		{"", []string{"A=B", "a.b", ""}, "a.b", "<none>"},
	} {
		e := source.NewEnv(tc.prefix, source.WithAllow(tc.allow...))
		v, err := e.Get(t.Context(), tc.key)
		if got := text(v); got != tc.want || (err != nil) != (tc.want == "<none>") || err != nil && !errors.Is(err, source.ErrKeyNotFound) {
			t.Errorf("prefix %q, allowed %v, key %q: %q, %v", tc.prefix, tc.allow, tc.key, got, err)
		}
	}
	t.Setenv("MYAPP_LONG", strings.Repeat("x", 100))
	if _, err := source.NewEnv("myapp", source.WithMaxSize(99)).Get(t.Context(), "long"); !fault.Is(err, fault.TooLarge) {
		t.Error(err)
	}
}

func TestFilesOutsideTheDirectoryAreNotRead(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "secrets")
	must(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o700))
	write(t, filepath.Join(parent, "outside"), "canary")
	write(t, filepath.Join(dir, "K"), "inside")
	write(t, filepath.Join(dir, "sub", "K"), "below")
	write(t, filepath.Join(dir, ".hidden"), "canary")
	must(t, os.Symlink("../outside", filepath.Join(dir, "relative")))
	must(t, os.Symlink(filepath.Join(parent, "outside"), filepath.Join(dir, "absolute")))
	must(t, os.Symlink("K", filepath.Join(dir, "inside")))
	must(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	must(t, os.Symlink("..", filepath.Join(dir, "up")))
	src, err := source.NewFile(dir)
	must(t, err)
	for key, want := range map[string]string{"K": "inside", "sub/K": "below", "inside": "inside"} {
		expect(t, src, key, want)
	}
	for _, key := range append(sourcetest.Hostile, "relative", "absolute", "../outside", "up/outside", "sub/../../outside", "sub", "sub/../K", ".hidden", "K/x",
		"C:\\x", "sub\\K", "K:stream", strings.Repeat("n", 300)) {
		if v, err := src.Get(t.Context(), key); v != nil || err == nil {
			t.Errorf("%q: %q, %v", key, text(v), err)
		}
	}
	all, err := src.List(t.Context(), "")
	var keys []string
	for _, v := range all {
		keys = append(keys, v.Key+"="+text(v))
	}
	if got := strings.Join(keys, " "); err == nil || !strings.Contains(err.Error(), "loop") {
		if got != "K=inside inside=inside sub/K=below" {
			t.Errorf("%s, %v", got, err)
		}
	}
}

func TestFilesAreBoundedAndExact(t *testing.T) {
	dir := t.TempDir()
	src, err := source.NewFile(dir, source.WithMaxSize(10))
	must(t, err)
	trimming, err := source.NewFile(dir, source.WithTrimNewline())
	must(t, err)
	for raw, trimmed := range map[string]string{"ten bytes!": "ten bytes!", "x\n": "x", "x\r\n": "x", "x\n\n": "x\n", "\n": "", "": "", "\x00\xff": "\x00\xff"} {
		write(t, filepath.Join(dir, "K"), raw)
		expect(t, src, "K", raw)
		expect(t, trimming, "K", trimmed)
	}
	write(t, filepath.Join(dir, "K"), "eleven byte")
	if _, err := src.Get(t.Context(), "K"); !fault.Is(err, fault.TooLarge) || strings.Contains(err.Error(), "eleven") {
		t.Error(err)
	}
	if _, err := source.NewFile(filepath.Join(dir, "nowhere")); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if _, err := source.NewFile(filepath.Join(dir, "K")); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// TestANamedPipeDoesNotHang: opening one to read waits for a writer.
func TestANamedPipeDoesNotHang(t *testing.T) {
	dir := t.TempDir()
	must(t, mkfifo(filepath.Join(dir, "PIPE")))
	src, err := source.NewFile(dir)
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- second(src.Get(t.Context(), "PIPE")) }()
	select {
	case err := <-done:
		if !errors.Is(err, source.ErrKeyNotFound) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it waits for a writer")
	}
}

func TestConfigValuesBecomeText(t *testing.T) {
	st := memory.New()
	src := source.NewDatabase(st, "myapp")
	defer src.Close()
	for want, v := range map[string]any{"text": "text", "25": 25, "9007199254740993": int64(9007199254740993), "0.1": 0.1, "true": true, "30s": 30 * time.Second,
		`{"a":[1,2]}`: json.RawMessage(`{"a": [1, 2]}`), "": ""} {
		must(t, st.SetConfig(t.Context(), &config.Entry{Key: "k", Value: v, AppID: "myapp", Metadata: map[string]string{"owner": "ops"}}))
		expect(t, src, "k", want)
	}
	v, err := src.Get(t.Context(), "k")
	if err != nil || v.Version != 8 || v.Metadata["owner"] != "ops" {
		t.Errorf("%+v, %v", v, err)
	}
	other := source.NewDatabase(st, "otherapp")
	defer other.Close()
	expect(t, other, "k", "<none>")
}

func TestASecretSourceBelongsToOneTenant(t *testing.T) {
	svc := secrets(t)
	acme := scope.WithScope(t.Context(), "myapp", "acme", "ann", "")
	globex := scope.WithTenantID(acme, "globex")
	_, err := svc.Set(acme, "K", []byte("of acme"), "")
	must(t, err)
	src, err := source.NewSecrets(svc, "myapp", "acme")
	must(t, err)
	for _, ctx := range []context.Context{t.Context(), acme} {
		if v, err := src.Get(ctx, "K"); err != nil || text(v) != "of acme" || v.Version != 1 {
			t.Errorf("%q, %v", text(v), err)
		}
	}
	for _, ctx := range []context.Context{globex, scope.WithAppID(acme, "otherapp")} {
		theirs, none := second(src.Get(ctx, "K")), second(src.Get(acme, "NOPE"))
		if !errors.Is(theirs, source.ErrKeyNotFound) || strings.ReplaceAll(none.Error(), "NOPE", "K") != theirs.Error() {
			t.Errorf("%v; %v", theirs, none)
		}
		if _, err := src.List(ctx, ""); !errors.Is(err, source.ErrKeyNotFound) {
			t.Error(err)
		}
	}
	_, err = svc.Set(acme, "OLD", []byte("x"), "", secret.WithExpiresAt(time.Now().Add(20*time.Millisecond)))
	must(t, err)
	time.Sleep(30 * time.Millisecond)
	behind := source.NewMemory()
	set(t, behind, "OLD", "an older one")
	if v, err := source.NewChain(src, behind).Get(acme, "OLD"); !errors.Is(err, base.ErrSecretExpired) {
		t.Errorf("%q, %v", text(v), err)
	}
	for _, bad := range [][2]string{{"", "acme"}, {"myapp", ""}, {"myapp", "/shared"}} {
		if _, err := source.NewSecrets(svc, bad[0], bad[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTemplates(t *testing.T) {
	for template, want := range map[string]string{"": "myapp/acme/K", "{app}/{tenant}/{name}": "myapp/acme/K", "kv/{tenant}/x/{app}/{name}": "kv/acme/x/myapp/K",
		"prod-{app}.{tenant}.{name}": "prod-myapp.acme.K", "{app}:{tenant}@{name}": "myapp:acme@K", "a/{app}-x/{tenant}/b/{name}": "a/myapp-x/acme/b/K"} {
		m := source.NewMemory()
		set(t, m, want, "found")
		part, err := source.ForTenant(m, template, "myapp", "acme")
		if err != nil {
			t.Errorf("%q: %v", template, err)
			continue
		}
		expect(t, part, "K", "found")
	}
	for _, bad := range []string{"x", "{name}", "{app}/{name}", "{tenant}/{name}", "{app}/{tenant}", "{app}{tenant}/{name}", "{app}-{tenant}/{name}", "{app}/{tenant}{name}",
		"{app}/{tenant}-{name}", "{app}/{tenant}/{name}/x", "/{app}/{tenant}/{name}", "{app}//{tenant}/{name}", "../{app}/{tenant}/{name}", "{app}/../{tenant}/{name}",
		"{app}/{app}/{tenant}/{name}", "{app}/{user}/{tenant}/{name}", "{app/{tenant}/{name}", "{app}/{tenant}/ /{name}", "{app}/{tenant}/%2e/{name}", "{app}/{tenant}/{name}{name}",
		"./{app}/{tenant}/{name}", "x}/{app}/{tenant}/{name}"} {
		if _, err := source.NewTenants(source.NewMemory(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// recorder is a source that writes down which keys it was asked for.
type recorder struct {
	source.Source
	keys []string
}

func (r *recorder) Get(_ context.Context, key string) (*source.Value, error) {
	r.keys = append(r.keys, key)
	return &source.Value{Key: key, Raw: sealed.NewString("x")}, nil
}

func (r *recorder) List(_ context.Context, prefix string) ([]*source.Value, error) {
	r.keys = append(r.keys, prefix)
	return []*source.Value{{Key: prefix + "mine"}, {Key: "myapp/globex/theirs"}, {Key: prefix + "sub/deeper"}}, nil
}

func (r *recorder) Watch(_ context.Context, key string, _ source.WatchFunc) error {
	r.keys = append(r.keys, key)
	return nil
}

// HostileNames are what a tenant, or the author of its pipeline, may try to reach another's with.
var hostileNames = []string{"", "../globex/K", "..", "a/../../globex/K", "/K", "K/", "a/b", "K\x00", "K\n", "%2e%2e%2fglobex%2fK", `..\globex\K`, "K#field", "#field",
	"K?version=1", ".K", "K/../../globex/K", "=2E=2E", "{tenant}", "K\u202e", "ＡＰＩ", strings.Repeat("K", 129)}

func TestATenantCannotNameAnothersPath(t *testing.T) {
	r := &recorder{}
	tenants, err := source.NewTenants(r, "")
	must(t, err)
	part, err := tenants.For("myapp", "acme")
	must(t, err)
	for _, name := range hostileNames {
		if _, err := part.Get(t.Context(), name); !fault.Is(err, fault.Invalid) {
			t.Errorf("get %q: %v", name, err)
		}
		if err := part.Watch(t.Context(), name, func(context.Context, string, *source.Value) {}); !fault.Is(err, fault.Invalid) {
			t.Errorf("watch %q: %v", name, err)
		}
		if name == "" {
			continue
		}
		if _, err := part.List(t.Context(), name); !fault.Is(err, fault.Invalid) {
			t.Errorf("list %q: %v", name, err)
		}
	}
	if len(r.keys) != 0 {
		t.Errorf("the source was asked for %q", r.keys)
	}
	all, err := part.List(t.Context(), "")
	if err != nil || len(all) != 1 || all[0].Key != "mine" || r.keys[0] != "myapp/acme/" {
		t.Errorf("%v, %v, %q", all, err, r.keys)
	}
}

func TestTenantsAreApart(t *testing.T) {
	r := &recorder{}
	tenants, err := source.NewTenants(r, "{app}.{tenant}.{name}")
	must(t, err)
	owners := [][2]string{{"a", "b"}, {"a.b", "c"}, {"a", "b.c"}, {"a/b", "c"}, {"a", "b/c"}, {"A", "b"}, {"a", "B"}, {"a", ".."}, {"..", "a"}, {"a", "=62"}, {"a", "Zürich AG"},
		{"a", "shared"}, {"a", "=2Fshared"}, {"a", "b "}, {"a", "{app}"}}
	seen := map[string][2]string{}
	for _, o := range owners {
		part, err := tenants.For(o[0], o[1])
		must(t, err)
		r.keys = nil
		_, err = part.Get(t.Context(), "K")
		must(t, err)
		key := r.keys[0]
		if was, dup := seen[strings.ToLower(key)]; dup {
			t.Errorf("%q and %q are both %q", o, was, key)
		}
		seen[strings.ToLower(key)] = o
		if strings.Count(key, ".") != 2 || strings.ContainsAny(key, "/ \\{}%") {
			t.Errorf("%q becomes %q", o, key)
		}
	}
	shared, err := tenants.Shared("a")
	must(t, err)
	r.keys = nil
	_, _ = shared.Get(t.Context(), "K")
	if _, dup := seen[strings.ToLower(r.keys[0])]; dup || r.keys[0] != "a.=2Fshared.K" {
		t.Error(r.keys)
	}
	for _, bad := range [][2]string{{"", "t"}, {"a", ""}, {"a", "/shared"}, {"a", "t\n"}} {
		if _, err := tenants.For(bad[0], bad[1]); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := tenants.For("", "t"); !errors.Is(err, scope.ErrNoApp) {
		t.Error(err)
	}
	if _, err := tenants.For("a", ""); !errors.Is(err, scope.ErrNoTenant) {
		t.Error(err)
	}
}

// TestTwoOwnersNeverShareAKey is the law behind the examples.
func TestTwoOwnersNeverShareAKey(t *testing.T) {
	id := rapid.StringMatching(`[a-cA-C./:=@+%_ -]{1,4}`).Filter(func(s string) bool { return s[0] != '/' })
	name := rapid.StringMatching(`[A-Ca-c_][A-Ca-c_.-]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		r := &recorder{}
		template := rapid.SampledFrom([]string{"{app}/{tenant}/{name}", "{tenant}.{app}.{name}", "x+{app}:{tenant}@{name}", "{app}./.x{tenant}+{name}"}).Draw(t, "template")
		tenants, err := source.NewTenants(r, template)
		if err != nil {
			t.Fatal(err)
		}
		type owner struct{ app, tenant, name string }
		ask := func(o owner) string {
			part, err := tenants.For(o.app, o.tenant)
			if err != nil {
				t.Skip()
			}
			if _, err := part.Get(context.Background(), o.name); err != nil {
				t.Fatal(err)
			}
			return r.keys[len(r.keys)-1]
		}
		a := owner{id.Draw(t, "app1"), id.Draw(t, "tenant1"), name.Draw(t, "name1")}
		b := owner{id.Draw(t, "app2"), id.Draw(t, "tenant2"), name.Draw(t, "name2")}
		if ka, kb := ask(a), ask(b); (ka == kb) != (a == b) {
			t.Fatalf("%q and %q are %q and %q", a, b, ka, kb)
		}
	})
}

func TestFields(t *testing.T) {
	object := map[string]json.RawMessage{"text": []byte(`"p\"w"`), "n": []byte(` 3 `), "big": []byte("12345678901234567890"), "t": []byte("true"), "null": []byte("null"), "nested": []byte(`{"a": [1, 2]}`)}
	for field, want := range map[string]string{"text": `p"w`, "n": "3", "big": "12345678901234567890", "t": "true", "nested": `{"a":[1,2]}`} {
		if got, ok := source.Field(object, field); !ok || string(got) != want {
			t.Errorf("%s: %q %v", field, got, ok)
		}
	}
	for _, field := range []string{"null", "nope", ""} {
		if got, ok := source.Field(object, field); ok {
			t.Errorf("%s: %q", field, got)
		}
	}
	for key, want := range map[string]string{"a/b": "a/b|", "a/b#c": "a/b|c", "a#b#c": "a|b#c"} {
		path, field, err := source.SplitField(key)
		if err != nil || path+"|"+field != want {
			t.Errorf("%s: %s %s %v", key, path, field, err)
		}
	}
	for _, key := range []string{"#", "a#", "#a"} {
		if _, _, err := source.SplitField(key); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestSame(t *testing.T) {
	at := time.Now()
	v := func(change func(*source.Value)) *source.Value {
		x := &source.Value{Key: "K", Raw: sealed.NewString("x"), Source: "s", Version: 1, ExpiresAt: &at, Metadata: map[string]string{"a": "b"}}
		if change != nil {
			change(x)
		}
		return x
	}
	if !source.Same(v(nil), v(nil)) || !source.Same(nil, nil) || source.Same(v(nil), nil) || source.Same(nil, v(nil)) || !source.Same(v(nil), v(nil).Clone()) {
		t.Error("the same is not the same")
	}
	later := at.Add(time.Second)
	for i, change := range []func(*source.Value){
		func(x *source.Value) { x.Raw = sealed.NewString("y") }, func(x *source.Value) { x.Raw = sealed.Value{} }, func(x *source.Value) { x.Version++ },
		func(x *source.Value) { x.Source = "" }, func(x *source.Value) { x.ExpiresAt = nil }, func(x *source.Value) { x.ExpiresAt = &later },
		func(x *source.Value) { x.Metadata["a"] = "c" }, func(x *source.Value) { x.Metadata = nil },
	} {
		if source.Same(v(nil), v(change)) {
			t.Errorf("change %d does not show", i)
		}
	}
	if b, err := json.Marshal(v(nil)); err != nil || strings.Contains(string(b), "raw") {
		t.Errorf("%s, %v", b, err)
	}
	if text := fmt.Sprintf("%+v", v(nil)); !strings.Contains(text, "[sealed]") {
		t.Error(text)
	}
}

func TestMemoryRefusesWhatIsTooLarge(t *testing.T) {
	m := source.NewMemory(source.WithMaxSize(3))
	if err := m.Set(t.Context(), "K", "four"); !fault.Is(err, fault.TooLarge) {
		t.Error(err)
	}
	must(t, m.Close())
	if err := m.Set(t.Context(), "K", "x"); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}

// FuzzTenantKeys: whatever the ids and the name, the key stays below the owner's own prefix.
func FuzzTenantKeys(f *testing.F) {
	f.Add("default", "acme", "OPENAI_API_KEY")
	f.Add("a/b", "..", "../K")
	f.Add("A", "\x00", "K#x")
	f.Fuzz(func(t *testing.T, app, tenant, name string) {
		r := &recorder{}
		part, err := source.ForTenant(r, "", app, tenant)
		if err != nil {
			return
		}
		if _, err := part.Get(t.Context(), name); err != nil {
			return
		}
		key := r.keys[0]
		if strings.Count(key, "/") != 2 || strings.HasPrefix(key, "/") || !strings.HasSuffix(key, "/"+name) || strings.Contains(key, "//") {
			t.Errorf("%q/%q/%q becomes %q", app, tenant, name, key)
		}
		for part := range strings.SplitSeq(key, "/") {
			if strings.Trim(part, ".") == "" {
				t.Errorf("%q has a part of dots", key)
			}
		}
	})
}

func TestAWatchTellsThatAValueEndedByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := source.NewMemory()
		defer m.Close()
		var told []string
		must(t, m.Watch(t.Context(), "K", func(_ context.Context, _ string, v *source.Value) { told = append(told, text(v)) }))
		at := time.Now().Add(time.Minute)
		must(t, m.SetValue(t.Context(), source.Value{Key: "K", Raw: sealed.NewString("x"), ExpiresAt: &at}))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := strings.Join(told, ","); got != "x,<none>" {
			t.Error(got)
		}
	})
}
