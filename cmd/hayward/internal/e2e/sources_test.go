package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/apptest"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/source/openbao"
	"github.com/haywardhq/hayward/vault/source/openbao/baotest"
)

// listener is a model that writes down the keys it gets.
type listener struct {
	*httptest.Server
	mu   sync.Mutex
	keys []string
}

func newListener(t *testing.T) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		l.mu.Lock()
		l.keys = append(l.keys, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		l.mu.Unlock()
		fmt.Fprint(w, `{"model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
			"usage": {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010}}`)
	}))
	t.Cleanup(l.Close)
	return l
}

// heard returns the keys since the last call.
func (l *listener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := l.keys
	l.keys = nil
	return keys
}

// outsideVault is a server whose tenants acme and globex keep their keys in OpenBao.
type outsideVault struct {
	*apptest.Server
	bao          *baotest.Server
	model        *listener
	acme, globex string // ids
	ann, gus     string // tokens
}

func startOutside(t *testing.T) *outsideVault {
	t.Helper()
	o := &outsideVault{bao: baotest.New(t), model: newListener(t)}
	t.Setenv("BROKEN_KEY", "sk-from-the-environment")
	o.Server = apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(o.model.URL, "http://")}
		set.EnvAllow = map[string][]sealed.Destination{"BROKEN_KEY": {sealed.MustDestination(o.model.URL)}}
		reach, err := app.PolicyFor(o.bao.URL)
		if err != nil {
			t.Fatal(err)
		}
		set.Sources.OpenBao = &openbao.Options{Address: o.bao.URL, Auth: openbao.Token{Value: sealed.NewString(o.bao.RootToken)}, Egress: reach, Attempts: 1}
	})
	o.acme = o.Member("acme", "ann", password, policy.Admin)
	o.globex = o.Member("globex", "gus", password, policy.Admin)
	o.ann, o.gus = o.Login("ann", password), o.Login("gus", password)
	return o
}

// put writes a value into OpenBao, with destinations unless there are none.
func (o *outsideVault) put(owner, name, value, destinations string) {
	o.T.Helper()
	path := o.AppID + "/" + owner + "/" + name
	o.bao.PutKV(path, map[string]any{"value": value})
	if destinations != "" {
		o.bao.Admin(o.T, "POST", "secret/metadata/"+path, map[string]any{"custom_metadata": map[string]string{host.DestinationsKey: destinations}})
	}
}

// ask runs a pipeline that takes its key under a name.
func (o *outsideVault) ask(token, name string) (int, string) {
	o.T.Helper()
	quoted, _ := json.Marshal(name)
	source := strings.Replace(fmt.Sprintf(askYAML, o.model.URL), "[OPENAI_API_KEY]", "["+string(quoted)+"]", 1)
	b, _ := json.Marshal(map[string]any{"name": "ask", "source_code": source, "overwrite": true})
	if code, text := o.Call(token, "POST", "/deploy-yaml", string(b)); code != 200 {
		return code, text
	}
	return o.Call(token, "POST", "/ask/run", `{"name": "x"}`)
}

// lastSecret returns what a user's last run says about secrets in the audit.
func (o *outsideVault) lastSecret(t *testing.T, user string) (out []string) {
	all := entries(t, o.Server, user, "pipeline.run")
	for _, d := range all[len(all)-1].Details {
		if d.Key == "secret" {
			out = append(out, d.Value)
		}
	}
	return out
}

func TestTenantsSecretsComeFromASource(t *testing.T) {
	o := startOutside(t)
	here := o.model.URL
	o.put(o.acme, "OPENAI_API_KEY", "sk-acmes-own-0001", here)
	o.put(o.globex, "OPENAI_API_KEY", "sk-globex-own-0002", here)
	o.put("=2Fshared", "FOR_ALL", "sk-for-everyone-3", "https://example.com, "+here)
	o.put("=2Fshared", "FOR_NOBODY", "sk-for-nobody-004", "")
	o.put("=2Fshared", "BOTH", "sk-shared-both-05", here)
	o.put(o.acme, "BOTH", "sk-acmes-both-006", here)
	o.put(o.acme, "UNDECIDED", "sk-undecided-0007", "")
	o.put(o.acme, "ELSEWHERE", "sk-elsewhere-0008", "https://example.com")
	o.put(o.acme, "IN_VAULT", "sk-in-openbao-009", here)
	o.Must(200, o.ann, "PUT", "/api/v1/secrets/IN_VAULT", `{"value": "sk-in-the-vault-10", "destinations": ["`+here+`"]}`)
	for _, tc := range []struct {
		user, name string
		code       int
		key, says  string // says: in the answer if it is refused
		layer      string
	}{
		{"ann", "OPENAI_API_KEY", 200, "sk-acmes-own-0001", "", "tenant's part of openbao"},
		{"gus", "OPENAI_API_KEY", 200, "sk-globex-own-0002", "", "tenant's part of openbao"},
		{"ann", "FOR_ALL", 200, "sk-for-everyone-3", "", "shared part of openbao"},
		{"gus", "FOR_ALL", 200, "sk-for-everyone-3", "", "shared part of openbao"},
		{"ann", "BOTH", 200, "sk-acmes-both-006", "", "tenant's part of openbao"},
		{"gus", "BOTH", 200, "sk-shared-both-05", "", "shared part of openbao"},
		{"ann", "FOR_NOBODY", 403, "", "it is for no host at all", "shared part of openbao"},
		{"ann", "UNDECIDED", 403, "", "nobody has said where it may go", "tenant's part of openbao"},
		{"ann", "ELSEWHERE", 403, "", "it is for https://example.com", "tenant's part of openbao"},
		{"gus", "ELSEWHERE", 422, "", "shared part of openbao", ""},
		{"ann", "IN_VAULT", 200, "sk-in-the-vault-10", "", "tenant vault"},
	} {
		token := map[string]string{"ann": o.ann, "gus": o.gus}[tc.user]
		code, text := o.ask(token, tc.name)
		var want, layer []string
		if tc.key != "" {
			want = []string{tc.key}
		}
		if tc.layer != "" {
			layer = []string{tc.name + " from " + tc.layer + " to " + here + " for llm"}
			if code == 403 {
				layer[0] += " (refused)"
			}
		}
		if keys := o.model.heard(); code != tc.code || !slices.Equal(keys, want) || !strings.Contains(text, tc.says) {
			t.Errorf("%s, %s: %d %s; the model heard %q", tc.user, tc.name, code, text, keys)
		}
		if got := o.lastSecret(t, tc.user); !slices.Equal(got, layer) {
			t.Errorf("%s, %s: the record says %q, want %q", tc.user, tc.name, got, layer)
		}
	}
	if !strings.Contains(o.Logs.String(), "source=openbao app="+o.AppID) {
		t.Error("nobody can know the app's id")
	}
	if hits := find(o.Logs.String(), map[string]string{"a key": "sk-acmes-own-0001", "a token": o.bao.RootToken}); len(hits) > 0 {
		t.Errorf("the log holds %v", hits)
	}
}

// A name that would lead out of the tenant's own part is asked of no source.
func TestHostileNamesReachNoSource(t *testing.T) {
	o := startOutside(t)
	o.put(o.globex, "K", "sk-globex-own-0002", o.model.URL)
	o.put(o.acme, "K", "sk-acmes-own-0001", o.model.URL)
	before := len(o.bao.Requests("secret/data"))
	for _, name := range []string{"../" + o.globex + "/K", o.globex + "/K", "./K", "K#value", "K%2f..", "=2Fshared/K", "..", ".", "K/", "/K", "K\x00", "K?version=1", "K ", "{tenant}", "\u0130"} {
		if code, text := o.ask(o.ann, name); code < 400 || code >= 500 || strings.Contains(text, "sk-") {
			t.Errorf("%q: %d %s", name, code, text)
		}
	}
	if made := o.bao.Requests("secret/data")[before:]; len(made) > 0 || len(o.model.heard()) > 0 {
		t.Errorf("asked for: %+v", made)
	}
	if code, text := o.ask(o.ann, "K"); code != 200 || !slices.Equal(o.model.heard(), []string{"sk-acmes-own-0001"}) {
		t.Errorf("%d %s", code, text)
	}
}

// A source that cannot answer ends the run: what stands behind it is not asked.
func TestABrokenSourceIsAnError(t *testing.T) {
	o := startOutside(t)
	o.put(o.acme, "K", "sk-acmes-own-0001", "")
	if code, text := o.ask(o.ann, "BROKEN_KEY"); code != 200 || !slices.Equal(o.model.heard(), []string{"sk-from-the-environment"}) {
		t.Fatalf("while the source has none: %d %s", code, text)
	}
	o.bao.Seal()
	if code, text := o.ask(o.gus, "BROKEN_KEY"); code != 503 || !strings.Contains(text, "the tenant's part of openbao could not say whether it has the secret BROKEN_KEY") ||
		strings.Contains(text, o.AppID) || len(o.model.heard()) > 0 {
		t.Errorf("sealed: %d %s", code, text)
	}
	if text := o.Must(200, o.gus, "GET", "/api/v1/secrets/BROKEN_KEY/explain?pipeline=ask", ""); !strings.Contains(text, "a run ends here") || !strings.Contains(text, `"answer":""`) {
		t.Errorf("explained: %s", text)
	}
	o.bao.Unseal()
	o.bao.Inject(baotest.Fault{Status: 403, Times: 10})
	if code, text := o.ask(o.gus, "OTHER_KEY"); code != 503 {
		t.Errorf("the server was refused, not the caller: %d %s", code, text)
	}
	if !strings.Contains(o.Logs.String(), "a source of secrets failed") {
		t.Error("the log says nothing")
	}
}

func TestASourceIsExplained(t *testing.T) {
	o := startOutside(t)
	o.put("=2Fshared", "K", "sk-for-everyone-3", o.model.URL)
	if code, text := o.ask(o.ann, "K"); code != 200 {
		t.Fatal(text)
	}
	var got host.Explanation
	if err := json.Unmarshal([]byte(o.Must(200, o.ann, "GET", "/api/v1/secrets/K/explain?pipeline=ask", "")), &got); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range got.Layers {
		lines = append(lines, fmt.Sprintf("%s: %v: %s", l.Layer, l.Found, l.Why))
	}
	want := "tenant's part of openbao: false: there is no such secret\nshared part of openbao: true: it may go to " + o.model.URL
	if got.Answer != "shared part of openbao" || !strings.Contains(strings.Join(lines, "\n"), want) {
		t.Errorf("%s\n%s", got.Answer, strings.Join(lines, "\n"))
	}
}

// Mounted files have no metadata: where a shared one may go is a setting.
func TestSecretsComeFromADirectory(t *testing.T) {
	model, dir := newListener(t), t.TempDir()
	s := apptest.Start(t, func(set *app.Settings) {
		set.EgressAllow = []string{strings.TrimPrefix(model.URL, "http://")}
		set.Sources.Dir, set.Sources.DirTemplate = dir, "hayward/{tenant}.{app}/{name}"
		set.Sources.Shared = map[string][]sealed.Destination{"OPENAI_API_KEY": {sealed.MustDestination(model.URL)}}
	})
	s.Member("acme", "ann", password, policy.Admin)
	globex := s.Member("globex", "gus", password, policy.Admin)
	ann, gus := s.Login("ann", password), s.Login("gus", password)
	for owner, key := range map[string]string{"=2Fshared": "sk-shared-file-01\n", globex: "sk-globex-file-02\n"} {
		place := filepath.Join(dir, "hayward", owner+"."+s.AppID)
		if err := os.MkdirAll(place, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(place, "OPENAI_API_KEY"), []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, token := range []string{ann, gus} {
		s.Deploy(token, "ask", fmt.Sprintf(askYAML, model.URL))
	}
	s.Must(200, ann, "POST", "/ask/run", `{"name": "x"}`)
	if keys := model.heard(); !slices.Equal(keys, []string{"sk-shared-file-01"}) {
		t.Errorf("the model heard %q", keys)
	}
	// A tenant's own value is for its own owner to send anywhere but to the documented host: the setting is about shared ones.
	if text := s.Must(403, gus, "POST", "/ask/run", `{"name": "x"}`); !strings.Contains(text, "tenant's part of files") || len(model.heard()) > 0 {
		t.Error(text)
	}
}

// What cannot work is found at the start.
func TestASourceThatCannotBeMadeEndsTheStart(t *testing.T) {
	for name, change := range map[string]func(*app.Settings){
		"no directory": func(s *app.Settings) { s.Sources.Dir = filepath.Join(t.TempDir(), "nothing") },
		"a template":   func(s *app.Settings) { s.Sources.Dir, s.Sources.DirTemplate = t.TempDir(), "{tenant}/{name}" },
		"no login":     func(s *app.Settings) { s.Sources.OpenBao = &openbao.Options{Address: "https://bao.example.com"} },
	} {
		dir := t.TempDir()
		set := app.Settings{DataDir: filepath.Join(dir, "data"), Root: keyring.FileRoot(filepath.Join(dir, "root.key")), Listen: "127.0.0.1:0"}
		change(&set)
		a, err := app.Open(t.Context(), set)
		if err == nil {
			_ = a.Close()
			t.Errorf("%s: it starts", name)
		}
	}
}
