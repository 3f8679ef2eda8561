package router_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/server/router"
)

type body struct {
	Name     string          `json:"name"`
	On       bool            `json:"on"`
	List     []string        `json:"list"`
	Number   *int64          `json:"if_version"`
	Inner    *body           `json:"inner"`
	Raw      json.RawMessage `json:"raw"`
	Password *router.Sealed  `json:"password"`
}

// What a body can be, in FastAPI's words and in the native ones.
func TestBodies(t *testing.T) {
	decode := func(_ context.Context, r *router.Request) (any, error) {
		var b body
		return b.Name, r.Decode(&b)
	}
	native := route("POST", "/native", decode)
	native.Dialect = router.Native
	f := start(t, router.Options{}, route("POST", "/fast", decode), native)
	for _, tc := range []struct {
		name, body string
		fast       string // the one entry of the list, "" for a body that is good
		native     string // is in the native answer
	}{
		{"good", `{"name": "x"}`, "", ""},
		{"a byte order mark", "\xef\xbb\xbf{\"name\": \"x\"}", "", ""},
		{"equal keys inside raw JSON", `{"raw": {"a": 1, "a": 2, "A": 3}}`, "", ""},
		{"strings that look like keys", `{"list": ["name", "name"], "name": "\"name\": {"}`, "", ""},
		{"empty", ``, `{"type":"missing","loc":["body"],"msg":"Field required","input":null}`, `"the body is empty"`},
		{"blank", " \n", `{"type":"missing","loc":["body"],"msg":"Field required","input":null}`, `"hint":"send a JSON object"`},
		{"not JSON", "{\n bad", `{"type":"json_invalid","loc":["body",4],"msg":"JSON decode error","input":{},"ctx":{"error":"invalid character 'b' looking for beginning of object key string"}}`, `"line":2`},
		{"cut short", `{"name": "x`, `{"type":"json_invalid","loc":["body",11],"msg":"JSON decode error","input":{},"ctx":{"error":"it ends too early"}}`, `"code":"json_invalid"`},
		{"something after it", `{} x`, `{"type":"json_invalid","loc":["body",3],"msg":"JSON decode error","input":{},"ctx":{"error":"there is something after the JSON value"}}`, `after the JSON`},
		{"two objects", `{}{}`, `{"type":"json_invalid","loc":["body",3],"msg":"JSON decode error","input":{},"ctx":{"error":"there is something after the JSON value"}}`, ``},
		{"NaN", `{"if_version": NaN}`, `{"type":"json_invalid","loc":["body",16],"msg":"JSON decode error","input":{},"ctx":{"error":"invalid character 'N' looking for beginning of value"}}`, ``},
		{"broken UTF-8", "{\"name\": \"\xff\"}", `{"type":"json_invalid","loc":["body",0],"msg":"JSON decode error","input":{},"ctx":{"error":"it is not UTF-8"}}`, `not UTF-8`},
		{"a list", `[]`, `{"type":"dict_type","loc":["body"],"msg":"Input should be a valid dictionary","input":null}`, `must be a JSON object, but is a list`},
		{"a string for a boolean", `{"on": "yes"}`, `{"type":"bool_type","loc":["body","on"],"msg":"Input should be a valid boolean","input":null}`, `field \"on\" must be a boolean, but is a string`},
		{"a number for a string", `{"name": 123456789}`, `{"type":"string_type","loc":["body","name"],"msg":"Input should be a valid string","input":null}`, `but is a number`},
		{"a fraction for an integer", `{"if_version": 1.5}`, `{"type":"int_type","loc":["body","if_version"],"msg":"Input should be a valid integer","input":null}`, `but is a number"`},
		{"a string for a list", `{"list": "x"}`, `{"type":"list_type","loc":["body","list"],"msg":"Input should be a valid list","input":null}`, ``},
		{"deeper", `{"inner": {"name": 1}}`, `{"type":"string_type","loc":["body","inner","name"],"msg":"Input should be a valid string","input":null}`, ``},
		{"an unknown field", `{"nam": 1}`, `{"type":"extra_forbidden","loc":["body","nam"],"msg":"Extra inputs are not permitted","input":null}`, `unknown field \"nam\"`},
		{"another case", `{"Name": "x"}`, `{"type":"extra_forbidden","loc":["body","Name"],"msg":"Extra inputs are not permitted","input":null}`, ``},
		{"a key that folds to a name", `{"inner": null, "li\u017ft": []}`, `{"type":"extra_forbidden","loc":["body","liſt"],"msg":"Extra inputs are not permitted","input":null}`, ``},
		{"twice", `{"name": "a", "on": true, "name": "b"}`, `{"type":"duplicate_key","loc":["body","name"],"msg":"Field comes more than once","input":null}`, `more than once`},
		{"twice, one in escapes", `{"name": "a", "n\u0061me": "b"}`, `{"type":"duplicate_key","loc":["body","name"],"msg":"Field comes more than once","input":null}`, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			resp, text := f.send(t, "POST", "/fast", strings.NewReader(tc.body), "Content-Type", "application/json; charset=utf-8")
			if tc.fast == "" {
				if resp.StatusCode != 200 {
					t.Errorf("%d %s", resp.StatusCode, text)
				}
				return
			}
			if want := `{"detail":[` + tc.fast + `]}`; resp.StatusCode != 422 || text != want {
				t.Errorf("%d\n%s\nwant\n%s", resp.StatusCode, text, want)
			}
			if resp, text := f.send(t, "POST", "/native", strings.NewReader(tc.body)); resp.StatusCode != 422 || !strings.Contains(text, tc.native) ||
				resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
		})
	}
	if resp, text := f.send(t, "POST", "/fast", strings.NewReader(`{}`), "Content-Type", "text/plain"); resp.StatusCode != 422 || !strings.Contains(text, "application/json") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// A secret of the wrong shape is not quoted.
func TestASecretIsNeverQuoted(t *testing.T) {
	for _, text := range []string{`{"password": ["canary"]}`, `{"password": {"canary": 1}}`, `{"password": 424242}`, `{"password": null, "x": 1}`} {
		var b body
		err := router.DecodeJSON([]byte(text), &b)
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "424242") {
			t.Errorf("%s gives %v", text, err)
		}
	}
}

func TestDecodeDictKeepsDigits(t *testing.T) {
	const text = `{"a":1,"b":1.0,"c":123456789012345678901234567890,"d":0.1,"e":1e400}`
	d, err := router.DecodeDict([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "1", "b": "1.0", "c": "123456789012345678901234567890", "d": "0.1", "e": "inf"} {
		if v, _ := d.Get(name); value.Repr(v) != want {
			t.Errorf("%s is %s", name, value.Repr(v))
		}
	}
	for _, tc := range []struct {
		text string
		kind fault.Kind
		says string
	}{
		{``, fault.Invalid, "empty"}, {`[1]`, fault.Invalid, "not list"}, {`{"a":`, fault.Invalid, "Expecting value"}, {`{} {}`, fault.Invalid, "Extra data"},
		{"{\"a\": \"\xff\"}", fault.Invalid, "utf-8"}, {strings.Repeat(`{"a":`, 100_000), fault.TooLarge, ""},
	} {
		if _, err := router.DecodeDict([]byte(tc.text)); !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%.20s gives %v", tc.text, err)
		}
	}
}

// Whatever comes, an error is the sender's, and what is accepted has each field once and in its own case.
func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{`{"name":"x"}`, `{"name":"x","name":"y"}`, `{"raw":[{"name":1},{}],"on":false}`, `{"na\"me":1}`, `{"inner":{"list":["\\"]}}`, "\xef\xbb\xbf{}", `[`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v body
		err := router.DecodeJSON(b, &v)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid {
				t.Errorf("%q is %s: %v", b, k, err)
			}
			return
		}
		if !utf8.Valid(b) || !json.Valid(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))) {
			t.Errorf("%q was accepted", b)
		}
	})
}

func FuzzDecodeDict(f *testing.F) {
	for _, s := range []string{`{"a":1.0}`, "{\n\"ü\": bad}", `{"a":NaN}`, `[]`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := router.DecodeDict(b)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge {
				t.Errorf("%q is %s: %v", b, k, err)
			}
			return
		}
		if text := value.Repr(d); strings.Contains(text, "nan") || strings.Contains(text, "inf") {
			return // JSON has no word for them: they become null
		}
		again, err := router.DecodeDict(value.AppendJSON(nil, d))
		if err != nil || value.Repr(again) != value.Repr(d) {
			t.Errorf("%q does not survive: %v", b, err)
		}
	})
}
