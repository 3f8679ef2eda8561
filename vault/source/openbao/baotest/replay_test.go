package baotest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/vault/source/openbao/baotest"
)

type exchange struct {
	Name    string
	Request struct {
		Method, Path string
		Headers      map[string]string
		Body         any
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    any
	}
}

func recorded(t *testing.T) (out []exchange) {
	t.Helper()
	f, err := os.Open("testdata/exchanges.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.UseNumber()
		if err := dec.Decode(&e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if len(out) != 65 {
		t.Fatalf("%d exchanges", len(out))
	}
	return out
}

// TestItAnswersAsTheRecordedServer replays every recorded request and compares status, headers and body. Ids and times
// differ between two runs of anything; everything else must be the same. What the recording's ids became here is put into
// the requests that use them.
func TestItAnswersAsTheRecordedServer(t *testing.T) {
	s := baotest.NewUninitialized(t)
	before := map[string]func(){
		"health, sealed":          s.Initialize,
		"health, active":          s.Unseal,
		"read with expired token": func() { s.Advance(21 * time.Second) },
	}
	ids := map[string]string{"s.root-token-of-the-recording": s.RootToken}
	for i, e := range recorded(t) {
		if fn := before[e.Name]; fn != nil {
			fn()
			delete(before, e.Name)
		}
		t.Run(fmt.Sprintf("%d %s", i, e.Name), func(t *testing.T) {
			resp, body := send(t, s, e, ids)
			if resp.StatusCode != e.Response.Status {
				t.Errorf("%d, recorded %d; %v", resp.StatusCode, e.Response.Status, body)
			}
			for name, want := range e.Response.Headers {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("header %s: %q, recorded %q", name, got, want)
				}
			}
			compare(t, "", e.Response.Body, body, ids)
		})
	}
	if len(before) != 0 {
		t.Errorf("no exchange is called %v", before)
	}
}

func send(t *testing.T, s *baotest.Server, e exchange, ids map[string]string) (*http.Response, any) {
	t.Helper()
	var content []byte
	if e.Request.Body != nil {
		content, _ = json.Marshal(e.Request.Body)
		for from, to := range ids {
			content = bytes.ReplaceAll(content, []byte(`"`+from+`"`), []byte(`"`+to+`"`))
		}
	}
	req, err := http.NewRequest(e.Request.Method, s.URL+e.Request.Path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range e.Request.Headers {
		if to, known := ids[v]; known {
			v = to
		}
		req.Header.Set(name, v)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body any
	dec := json.NewDecoder(resp.Body)
	dec.UseNumber()
	if err := dec.Decode(&body); err != nil && resp.StatusCode != http.StatusNoContent {
		t.Fatal(err)
	}
	return resp, body
}

// volatile are members that no two runs share: ids, times, ciphertext.
var volatile = []string{"request_id", "created_time", "updated_time", "deletion_time", "accessor", "uuid", "cluster_id", "cluster_name", "server_time_utc", "entity_id",
	"creation_time", "expire_time", "issue_time", "client_token", "token", "secret_id", "secret_id_accessor", "role_id", "ciphertext", "plaintext", "id", "ttl"}

func compare(t *testing.T, at string, want, got any, ids map[string]string) {
	t.Helper()
	name := at[strings.LastIndex(at, ".")+1:]
	free := slices.Contains(volatile, name) || strings.Contains(at, ".data.keys.")
	switch w := want.(type) {
	case map[string]any:
		g, isObject := got.(map[string]any)
		if !isObject {
			t.Errorf("%s: %v, recorded an object", at, got)
			return
		}
		for key := range w {
			if _, has := g[key]; !has {
				t.Errorf("%s.%s is not there", at, key)
				continue
			}
			compare(t, at+"."+key, w[key], g[key], ids)
		}
		for key := range g {
			if _, has := w[key]; !has {
				t.Errorf("%s.%s was not recorded", at, key)
			}
		}
	case []any:
		g, isList := got.([]any)
		if !isList || len(g) != len(w) {
			t.Errorf("%s: %v, recorded %v", at, got, want)
			return
		}
		for i := range w {
			compare(t, fmt.Sprintf("%s.%d", at, i), w[i], g[i], ids)
		}
	case string:
		g, isText := got.(string)
		if free && isText && (w == "") == (g == "") {
			ids[w] = g
		} else if got != want {
			t.Errorf("%s: %v, recorded %v", at, got, want)
		}
	case json.Number:
		if _, isNumber := got.(json.Number); !isNumber || !free && got != want {
			t.Errorf("%s: %v, recorded %v", at, got, want)
		}
	default:
		if got != want {
			t.Errorf("%s: %v, recorded %v", at, got, want)
		}
	}
}

// TestPolicies: what the recording shows of them is one path.
func TestPolicies(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("acme/K", map[string]any{"value": "x"})
	s.PutKV("acme/deep/K", map[string]any{"value": "x"})
	for _, tc := range []struct {
		policy string
		allows map[string]bool
	}{
		{`path "secret/data/acme/*" { capabilities = ["read"] }`, map[string]bool{"GET secret/data/acme/K": true, "GET secret/data/acme/deep/K": true,
			"GET secret/data/acm": false, "LIST secret/metadata/acme": false, "POST secret/data/acme/K": false}},
		{`path "secret/data/acme/+" { capabilities = ["read"] }`, map[string]bool{"GET secret/data/acme/K": true, "GET secret/data/acme/deep/K": false}},
		{`path "secret/data/*" { capabilities = ["read"] }
		  path "secret/data/acme/K" { capabilities = ["deny"] } # the literal path counts`, map[string]bool{"GET secret/data/acme/K": false, "GET secret/data/acme/deep/K": true}},
		{`{"path": {"secret/metadata/*": {"capabilities": ["list"]}}}`, map[string]bool{"LIST secret/metadata/acme": true, "GET secret/metadata/acme/K": false}},
		{`path "secret/data/*" { capabilities = ["create"] }`, map[string]bool{"POST secret/data/acme/NEW": true, "POST secret/data/acme/K": false}},
	} {
		s.Admin(t, "PUT", "sys/policies/acl/p", map[string]any{"policy": tc.policy})
		tok := s.Admin(t, "POST", "auth/token/create", map[string]any{"policies": "p"}).Auth("client_token").(string)
		for ask, want := range tc.allows {
			method, path, _ := strings.Cut(ask, " ")
			var body any
			if method == "POST" {
				body = map[string]any{"data": map[string]any{"value": "y"}}
			}
			a := s.Do(t, method, path, map[string]string{"X-Vault-Token": tok}, body)
			if (a.Status == http.StatusOK) != want {
				t.Errorf("%s under %s: %d %v", ask, tc.policy, a.Status, a.Body)
			}
		}
	}
	if a := s.Do(t, "PUT", "sys/policies/acl/p", map[string]string{"X-Vault-Token": s.RootToken}, map[string]any{"policy": "nonsense"}); a.Status != 400 {
		t.Errorf("%+v", a)
	}
}

func TestTokensLiveAndEnd(t *testing.T) {
	s := baotest.New(t)
	create := func(body map[string]any) string {
		return s.Admin(t, "POST", "auth/token/create", body).Auth("client_token").(string)
	}
	status := func(token string) int {
		return s.Do(t, "GET", "auth/token/lookup-self", map[string]string{"X-Vault-Token": token}, nil).Status
	}
	renew := func(token string) int {
		return s.Do(t, "POST", "auth/token/renew-self", map[string]string{"X-Vault-Token": token}, map[string]any{}).Status
	}
	short, bounded := create(map[string]any{"policies": "default", "ttl": "10s"}), create(map[string]any{"policies": "default", "ttl": "10s", "explicit_max_ttl": "15s"})
	periodic, fixed := create(map[string]any{"policies": "default", "period": "10s"}), create(map[string]any{"policies": "default", "ttl": "10s", "renewable": false})
	once := create(map[string]any{"policies": "default", "num_uses": 1})
	if status(once) != 200 || status(once) != 403 {
		t.Error("a token for one use")
	}
	for range 3 {
		s.Advance(6 * time.Second)
		_, _, _ = renew(short), renew(periodic), renew(bounded)
	}
	if status(short) != 200 || status(periodic) != 200 || status(bounded) != 403 || status(fixed) != 403 || renew(fixed) != 403 {
		t.Errorf("%d %d %d %d", status(short), status(periodic), status(bounded), status(fixed))
	}
	s.RevokeAll()
	if status(short) != 403 || status(s.RootToken) != 200 {
		t.Error("revoked")
	}
}

func TestWrappedAnswersAreReadOnce(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("K", map[string]any{"value": "x"})
	wrap := func() string {
		a := s.Do(t, "GET", "secret/data/K", map[string]string{"X-Vault-Token": s.RootToken, "X-Vault-Wrap-TTL": "60s"}, nil)
		return a.Body["wrap_info"].(map[string]any)["token"].(string)
	}
	tok := wrap()
	if a := s.Do(t, "POST", "sys/wrapping/lookup", nil, map[string]any{"token": tok}); a.Data("creation_path") != "secret/data/K" {
		t.Errorf("%+v", a)
	}
	if a := s.Do(t, "POST", "sys/wrapping/unwrap", map[string]string{"X-Vault-Token": tok}, nil); a.Status != 200 {
		t.Errorf("%+v", a)
	}
	if a := s.Do(t, "POST", "sys/wrapping/unwrap", nil, map[string]any{"token": tok}); a.Status != 400 {
		t.Errorf("%+v", a)
	}
	late := wrap()
	s.Advance(61 * time.Second)
	if a := s.Do(t, "POST", "sys/wrapping/unwrap", nil, map[string]any{"token": late}); a.Status != 400 {
		t.Errorf("%+v", a)
	}
}

func TestVersionsArePrunedAndExpire(t *testing.T) {
	s := baotest.New(t)
	s.PutKV("first", map[string]any{})
	s.Admin(t, "POST", "secret/metadata/K", map[string]any{"max_versions": 2, "delete_version_after": "1h"})
	for i := range 4 {
		s.Admin(t, "POST", "secret/data/K", map[string]any{"data": map[string]any{"n": i}})
	}
	get := func(v string) int {
		return s.Do(t, "GET", "secret/data/K?version="+v, map[string]string{"X-Vault-Token": s.RootToken}, nil).Status
	}
	if get("1") != 404 || get("2") != 404 || get("3") != 200 || get("4") != 200 || get("0") != 200 || get("x") != 400 {
		t.Error("versions")
	}
	if a := s.Admin(t, "GET", "secret/metadata/K", nil); a.Data("oldest_version") != json.Number("3") {
		t.Errorf("%v", a.Body)
	}
	s.Advance(time.Hour)
	if get("4") != 404 {
		t.Error("it lives for ever")
	}
}

func TestTransitBatch(t *testing.T) {
	s := baotest.New(t)
	s.Admin(t, "POST", "sys/mounts/transit", map[string]any{"type": "transit"})
	s.Admin(t, "POST", "transit/keys/k", nil)
	a := s.Admin(t, "POST", "transit/encrypt/k", map[string]any{"batch_input": []any{map[string]any{"plaintext": "YQ=="}, map[string]any{"plaintext": "Yg=="}}})
	results := a.Data("batch_results").([]any)
	s.Admin(t, "POST", "transit/keys/k/rotate", nil)
	s.Admin(t, "POST", "transit/keys/k/config", map[string]any{"min_decryption_version": 1, "deletion_allowed": true})
	second := results[1].(map[string]any)["ciphertext"]
	if b := s.Admin(t, "POST", "transit/decrypt/k", map[string]any{"ciphertext": second}); b.Data("plaintext") != "Yg==" {
		t.Errorf("%v", b.Body)
	}
	if b := s.Admin(t, "POST", "transit/rewrap/k", map[string]any{"ciphertext": second}); !strings.HasPrefix(b.Data("ciphertext").(string), "vault:v2:") {
		t.Errorf("%v", b.Body)
	}
	s.Admin(t, "POST", "transit/keys/k/config", map[string]any{"min_decryption_version": 2})
	if b := s.Do(t, "POST", "transit/decrypt/k", map[string]string{"X-Vault-Token": s.RootToken}, map[string]any{"ciphertext": second}); b.Status != 400 {
		t.Errorf("%v", b.Body)
	}
	s.Admin(t, "DELETE", "transit/keys/k", nil)
}
