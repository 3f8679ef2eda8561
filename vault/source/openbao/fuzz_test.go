package openbao

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// FuzzAnswers: whatever a server sends, there is a value or an error, never both and never neither, and no error quotes it.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"data":{"data":{"value":"zzcanary"},"metadata":{"version":1,"deletion_time":"","destroyed":false,"custom_metadata":{"a":"zzcanary"}}}}`)
	f.Add(404, `{"errors":[]}`)
	f.Add(404, `{"data":{"data":null,"metadata":{"version":2,"destroyed":true}}}`)
	f.Add(503, `{"errors":["Vault is sealed zzcanary"]}`)
	f.Add(200, `{"data":{"keys":["a","b/","zzcanary"]},"auth":{"client_token":"zzcanary","lease_duration":-9223372036854775808}}`)
	f.Add(307, ``)
	src, err := New(Options{Address: "https://bao.internal", Auth: Token{Value: sealed.NewString("t")}})
	if err != nil {
		f.Fatal(err)
	}
	defer src.Close()
	f.Fuzz(func(t *testing.T, status int, body string) {
		a, err := src.w.read(context.Background(), &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader([]byte(body)))})
		if (a == nil) == (err == nil) {
			t.Fatalf("%v, %v", a, err)
		}
		r := request{method: "GET", path: "secret/data/K"}
		if err == nil {
			err = src.w.refused(a, r)
			if v, verr := src.value("K", "value", a.Data); (v == nil) == (verr == nil) {
				t.Fatalf("%v, %v", v, verr)
			} else if verr != nil {
				check(t, verr)
			}
			_ = src.unmounted(a, r)
		}
		check(t, err)
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if e := fault.From(err); strings.Contains(e.Error()+e.Hint, "zzcanary") {
		t.Errorf("the error quotes the answer: %v", err)
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("3")
	f.Add("Wed, 21 Oct 2015 07:28:00 GMT")
	f.Add("-1")
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s); d < 0 {
			t.Errorf("%q: %v", s, d)
		}
	})
}
