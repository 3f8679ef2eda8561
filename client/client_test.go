package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// serve starts a server that answers every request with fn, and returns a client that is logged in there.
func serve(t *testing.T, fn http.HandlerFunc) *client.Client {
	t.Helper()
	s := httptest.NewServer(fn)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return c.WithToken(sealed.NewString("token-1"))
}

func TestFaultsComeBackAsTheyWere(t *testing.T) {
	for _, tc := range []struct {
		name, contentType, body string
		status                  int
		want                    fault.Error
	}{
		{"problem document", "application/problem+json",
			`{"title": "x", "status": 409, "detail": "it is taken", "kind": "conflict", "code": "Taken", "hint": "choose", "where": {"file": "a.yml", "line": 3, "column": 5, "component": "c"}}`, 409,
			fault.Error{Kind: fault.Conflict, Code: "Taken", Message: "it is taken", Hint: "choose",
				Where: fault.Where{Position: fault.Position{File: "a.yml", Line: 3, Column: 5}, Component: "c"}}},
		{"Hayhooks' dialect", "application/json", `{"detail": "Pipeline 'x' not found"}`, 404, fault.Error{Kind: fault.NotFound, Message: "Pipeline 'x' not found"}},
		{"FastAPI's list", "application/json", `{"detail": [{"loc": ["body", "q"], "msg": "Field required"}]}`, 422,
			fault.Error{Kind: fault.Invalid, Message: `[{"loc": ["body", "q"], "msg": "Field required"}]`}},
		{"a proxy's page", "text/html", `<html>secret path</html>`, 502, fault.Error{Kind: fault.Unavailable, Message: "the server answered 502 Bad Gateway"}},
		{"not the JSON it says", "application/json", `{`, 403, fault.Error{Kind: fault.Denied, Message: "the server answered 403 Forbidden"}},
		{"an unknown kind", "application/problem+json", `{"detail": "x", "kind": "of blue"}`, 429, fault.Error{Kind: fault.Limited, Message: "x"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.contentType)
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body)
			})
			_, err := c.Me(t.Context())
			if got := fault.From(err); got == nil || got.Kind != tc.want.Kind || got.Code != tc.want.Code || got.Message != tc.want.Message ||
				got.Hint != tc.want.Hint || got.Where != tc.want.Where {
				t.Errorf("got %#v", got)
			}
		})
	}
}

func TestSeveralProblemsComeBackTogether(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(422)
		fmt.Fprint(w, `{"detail": "one", "kind": "invalid", "problems": [{"detail": "one", "where": {"line": 1}}, {"detail": "two", "hint": "h", "where": {"line": 2}}]}`)
	})
	_, err := c.Deploy(t.Context(), client.DeployRequest{Name: "x", Source: "y"})
	var many client.Problems
	if !errors.As(err, &many) || len(many) != 2 || many[1].Message != "two" || many[1].Hint != "h" || many[1].Where.Line != 2 || !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestASecretTravelsInTheBodyAndTheTokenInItsHeader(t *testing.T) {
	var got struct {
		Value        string            `json:"value"`
		Destinations []string          `json:"destinations"`
		Metadata     map[string]string `json:"metadata"`
		IfVersion    *int64            `json:"if_version"`
	}
	var path, method, auth string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path, method, auth = r.URL.Path, r.Method, r.Header.Get("Authorization")
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, `{"key": "A", "version": 2}`)
	})
	zero := int64(0)
	const secret = `sk-"\ <&> é` + "\n"
	s, err := c.SetSecret(t.Context(), "A/B", sealed.NewString(secret), client.SecretOptions{Shared: true, Metadata: map[string]string{"a": "b"}, IfVersion: &zero,
		Destinations: []sealed.Destination{sealed.MustDestination("https://api.example.com")}})
	if err != nil || s.Version != 2 {
		t.Fatal(s, err)
	}
	if method != "PUT" || path != "/api/v1/shared/secrets/A/B" || auth != "Bearer token-1" {
		t.Error(method, path, auth)
	}
	if got.Value != secret || len(got.Destinations) != 1 || got.Metadata["a"] != "b" || got.IfVersion == nil {
		t.Errorf("%+v", got)
	}
	if err := c.SetPassword(t.Context(), "ann", sealed.NewString("pass")); err != nil {
		t.Error(err) // a body of one field
	}
	if _, err := c.SetSecret(t.Context(), "A", sealed.New([]byte{0xff, 0xfe}), client.SecretOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("bytes that are no text: %v", err)
	}
}

func TestARevealedValueIsSealed(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"name": "A", "version": 1, "value": "sk-1"}`)
	})
	v, err := c.RevealSecret(t.Context(), "A", 0)
	if err != nil || string(reveal.Inside(v)) != "sk-1" || strings.Contains(fmt.Sprintf("%+v", v), "sk-1") {
		t.Error(v, err)
	}
}

func TestListsReadAllTheirPages(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); {
		case q.Get("limit") != "1000":
			t.Error("limit", q)
		case q.Get("after") == "":
			fmt.Fprint(w, `{"users": [{"username": "a"}, {"username": "b"}], "next": "b"}`)
		case q.Get("after") == "b" && q.Get("tenant") == "acme":
			fmt.Fprint(w, `{"users": [{"username": "c"}]}`)
		default:
			t.Error(q)
		}
	})
	users, err := c.Users(t.Context(), "acme")
	if err != nil || len(users) != 3 || users[2].Username != "c" {
		t.Error(users, err)
	}
}

func TestARunKeepsPythonsNumbersApart(t *testing.T) {
	var body string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		fmt.Fprint(w, `{"run_id": "r1", "request_id": "q1", "pipeline": "p", "version": 3, "outputs": {"c": {"x": 1.0, "y": 12345678901234567890}}, "declared": {"z": 1}, "warnings": ["w"], "ms": 5}`)
	})
	out, err := c.Run(t.Context(), client.RunRequest{Pipeline: "p", Inputs: value.NewDict("a", value.Float(1)), IncludeOutputsFrom: []string{"c"}})
	if err != nil || out.RunID != "r1" || out.Version != 3 || out.Millis != 5 || len(out.Warnings) != 1 || out.Declared == nil {
		t.Fatalf("%+v %v", out, err)
	}
	if got := value.Repr(out.Outputs); got != "{'c': {'x': 1.0, 'y': 12345678901234567890}}" {
		t.Error(got)
	}
	if body != `{"inputs":{"a":1.0},"include_outputs_from":["c"]}` {
		t.Error(body)
	}
}

func TestAStream(t *testing.T) {
	chunk := func(text string) string {
		return `event: chunk` + "\ndata: " + `{"component": "llm", "chunk": {"content": "` + text + `"}}` + "\n\n"
	}
	result := "event: result\ndata: {\"run_id\": \"r1\", \"outputs\": {}}\n\n"
	for _, tc := range []struct {
		name, events, said string
		kind               fault.Kind
		ok                 bool
	}{
		{"chunks and a result", ": hello\n\n" + chunk("a") + strings.ReplaceAll(chunk("b"), "\n", "\r\n") + "event: other\ndata: x\n\n" + result, "ab", 0, true},
		{"an error", chunk("a") + "event: error\ndata: {\"detail\": \"no\", \"kind\": \"denied\"}\n\n", "a", fault.Denied, false},
		{"an error without words", "event: error\ndata: {}\n\n", "", fault.Failed, false},
		{"broken off", chunk("a"), "a", fault.Unavailable, false},
		{"a chunk that is none", "event: chunk\ndata: {\n\n", "", fault.Failed, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept") != "text/event-stream" {
					t.Error("no events were asked for")
				}
				fmt.Fprint(w, tc.events)
			})
			said := ""
			out, err := c.Run(t.Context(), client.RunRequest{Pipeline: "p", Chunk: func(_, text string) error { said += text; return nil }})
			if said != tc.said || (err == nil) != tc.ok || (!tc.ok && !fault.Is(err, tc.kind)) || (tc.ok && out.RunID != "r1") {
				t.Errorf("%q %+v %v", said, out, err)
			}
		})
	}
}

func TestAnUploadSendsFilesByNameAndType(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, `a "page".html`)
	if err := os.WriteFile(page, []byte("<p>hi</p>"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Error(err)
		}
		f := r.MultipartForm.File["sources"]
		if r.URL.Path != "/index/run" || len(f) != 1 || f[0].Filename != `a "page".html` || f[0].Header.Get("Content-Type") != "text/html" || f[0].Size != 9 {
			t.Errorf("%s %+v", r.URL.Path, f)
		}
		fmt.Fprint(w, `{"result": {"writer": {"documents_written": 1}}}`)
	})
	sent := 0
	out, err := c.Upload(t.Context(), "index", []client.Upload{{Field: "sources", Path: page}}, func(n int) { sent += n })
	if err != nil || sent != 9 || value.Repr(out) != "{'writer': {'documents_written': 1}}" {
		t.Error(out, sent, err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		if _, err := c.Upload(t.Context(), "index", []client.Upload{{Field: "sources", Path: path}}, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	url := s.URL
	s.Close()
	c, err := client.New(url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ready(t.Context()); !fault.Is(err, fault.Unavailable) || fault.From(err).Hint == "" {
		t.Error(err)
	}
}

func TestATokenDoesNotFollowARedirect(t *testing.T) {
	stolen := false
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen = true }))
	defer thief.Close()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, thief.URL, http.StatusFound) })
	if _, err := c.Me(t.Context()); err == nil || stolen {
		t.Error("the token went elsewhere", err)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("event: chunk\ndata: {}\n\nevent: result\ndata: {\"run_id\": \"r\", \"outputs\": {}}\n\n")
	f.Add("data: x\n\n:\n\nevent: error\r\ndata: {\"detail\": []}\r\n\r\n")
	f.Fuzz(func(t *testing.T, events string) {
		out, err := client.ReadEvents(strings.NewReader(events), func(string, string) error { return nil })
		if err == nil && out.Outputs == nil {
			t.Fatal("a result without outputs")
		}
	})
}
