package router_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/server/router"
)

const boundary = "b"

// part is one part of a form, its header lines separated by |.
func part(header, content string) string {
	return "--" + boundary + "\r\n" + strings.ReplaceAll(header, "|", "\r\n") + "\r\n\r\n" + content + "\r\n"
}

func read(body string) (*value.Dict, []inputs.File, error) {
	req := httptest.NewRequest("POST", "/", strings.NewReader(body))
	req.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	return router.ReadForm(&router.Request{Request: req})
}

func TestForms(t *testing.T) {
	const end = "--" + boundary + "--\r\n"
	file := func(disposition, content string) string {
		return part(`Content-Disposition: form-data; `+disposition+`|Content-Type: text/plain; charset=utf-8`, content)
	}
	field := func(name, content string) string {
		return part(`Content-Disposition: form-data; name="`+name+`"`, content)
	}
	for _, tc := range []struct {
		name, body    string
		fields, files string
		fails         fault.Kind
		says          string
	}{
		{"nothing", end, "{}", "", 0, ""},
		{"fields", field("a", "1") + field("b", "x") + end, "{'a': '1', 'b': 'x'}", "", 0, ""},
		{"a field that comes thrice", field("a", "1") + field("a", "2") + field("a", "3") + end, "{'a': ['1', '2', '3']}", "", 0, ""},
		{"a field in Unicode", field("größe", "ü") + end, "{'größe': 'ü'}", "", 0, ""},
		{"a file", file(`name="f"; filename="a.txt"`, "hi") + end, "{}", "f a.txt text/plain; charset=utf-8 2;", 0, ""},
		{"an empty file", file(`name="f"; filename="a.txt"`, "") + end, "{}", "f a.txt text/plain; charset=utf-8 0;", 0, ""},
		{"a file field left empty", file(`name="f"; filename=""`, "") + end, "{}", "", 0, ""},
		{"a file without a name", file(`name="f"; filename=""`, "hi") + end, "{}", "f  text/plain; charset=utf-8 2;", 0, ""},
		{"a file without a field", file(`filename="a.txt"`, "hi") + end, "{}", " a.txt text/plain; charset=utf-8 2;", 0, ""},
		{"a path for a name", file(`name="f"; filename="../../etc/passwd"`, "hi") + end, "{}", "f passwd text/plain; charset=utf-8 2;", 0, ""},
		{"an encoded name", file(`name="f"; filename*=UTF-8''%e2%82%ac.txt`, "hi") + end, "{}", "f €.txt text/plain; charset=utf-8 2;", 0, ""},
		{"a field without a name", part(`Content-Disposition: form-data`, "x") + end, "", "", fault.Invalid, "no name"},
		{"a field that is not UTF-8", field("a", "\xff") + end, "", "", fault.Invalid, `"a" is not UTF-8`},
		{"a name that is not UTF-8", field("a\xff", "x") + end, "", "", fault.Invalid, "not UTF-8"},
		{"a file name that is not UTF-8", file("name=\"f\"; filename=\"\xff\"", "x") + end, "", "", fault.Invalid, "not UTF-8"},
		{"cut short", field("a", "1") + "--b\r\nContent-Dispo", "", "", fault.Invalid, "could not be read"},
		{"a large field", field("a", strings.Repeat("x", 1<<20+1)) + end, "", "", fault.TooLarge, `"a" is larger`},
		{"too many parts", strings.Repeat(field("a", "1"), 1001) + end, "", "", fault.TooLarge, "1000 parts"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fields, files, err := read(tc.body)
			if tc.says != "" {
				if !fault.Is(err, tc.fails) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, f := range files {
				got += fmt.Sprintf("%s %s %s %d;", f.Field, f.Name, f.ContentType, len(f.Data))
			}
			if value.Repr(fields) != tc.fields || got != tc.files {
				t.Errorf("fields %s, files %s", value.Repr(fields), got)
			}
		})
	}
}

func TestAFormNeedsABoundary(t *testing.T) {
	req := httptest.NewRequest("POST", "/", strings.NewReader("x"))
	req.Header.Set("Content-Type", "multipart/form-data")
	if _, _, err := router.ReadForm(&router.Request{Request: req}); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

func FuzzReadForm(f *testing.F) {
	f.Add(part(`Content-Disposition: form-data; name="a"`, "1") + part(`Content-Disposition: form-data; name="f"; filename="x/../y"`, "2") + "--b--\r\n")
	f.Add("--b\r\n\r\n\r\n--b--")
	f.Add(part("Content-Disposition: form-data; name*0=a; filename*=UTF-8''%00", "") + "--b--\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		fields, files, err := read(body)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge {
				t.Errorf("%q is %s: %v", body, k, err)
			}
			return
		}
		for name, v := range fields.Strings() {
			switch v := v.(type) {
			case value.Str:
			case *value.List:
				if len(v.Items) < 2 {
					t.Errorf("field %q is a list of %d", name, len(v.Items))
				}
			default:
				t.Errorf("field %q is %s", name, value.Repr(v))
			}
		}
		for _, file := range files {
			if strings.Contains(file.Name, "/") && file.Name != "/" {
				t.Errorf("file name %q", file.Name)
			}
		}
	})
}
