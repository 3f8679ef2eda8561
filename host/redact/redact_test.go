package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/host/redact"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

const secret = `sk-"quoted"/and+more~123`

func newSet(values ...string) *redact.Set {
	s := &redact.Set{}
	for _, v := range values {
		s.Add(sealed.NewString(v))
	}
	return s
}

func TestEverySpellingIsFound(t *testing.T) {
	quoted, _ := json.Marshal(secret)
	for name, text := range map[string]string{
		"plain":        secret,
		"json":         string(quoted),
		"query":        url.QueryEscape(secret),
		"path":         url.PathEscape(secret),
		"hex":          hex.EncodeToString([]byte(secret)),
		"base64":       base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 +1":    base64.StdEncoding.EncodeToString([]byte("a" + secret + "b")),
		"base64 +2":    base64.URLEncoding.EncodeToString([]byte("ab" + secret)),
		"basic header": base64.StdEncoding.EncodeToString([]byte("user:" + secret)),
	} {
		t.Run(name, func(t *testing.T) {
			got := newSet(secret).String("before " + text + " after")
			if !strings.Contains(got, redact.Mark) || strings.Contains(got, secret) {
				t.Fatalf("got %q", got)
			}
			if !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") {
				t.Fatalf("took too much: %q", got)
			}
		})
	}
}

func TestShortValuesAndOtherTextStay(t *testing.T) {
	if got := newSet("short").String("a short text"); got != "a short text" {
		t.Fatalf("got %q", got)
	}
	if got := newSet(secret).String("nothing to see"); got != "nothing to see" {
		t.Fatalf("got %q", got)
	}
}

func TestValuesAreRedactedInEveryLeafAndNotChanged(t *testing.T) {
	in := value.NewDict(secret, value.NewList(value.Str(secret), value.Tuple{value.Str("x" + secret)}, value.Int(1)))
	out := newSet(secret).Value(in).(*value.Dict)
	list, ok := out.Get(redact.Mark)
	if !ok {
		t.Fatal("the key stayed")
	}
	items := list.(*value.List).Items
	if items[0] != value.Str(redact.Mark) || items[1].(value.Tuple)[0] != value.Str("x"+redact.Mark) || items[2] != value.Int(1) {
		t.Fatalf("got %v", items)
	}
	if _, ok := in.Get(secret); !ok {
		t.Fatal("the input was changed")
	}
	if same := (&redact.Set{}).Value(in); same != value.Value(in) {
		t.Fatal("an empty set must not copy")
	}
}

func TestAStreamRedactsAcrossPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-k\-"]{0,20}`).Draw(t, "before") + secret + rapid.StringMatching(`[a-s\-"]{0,20}`).Draw(t, "after")
		set := newSet(secret)
		st := redact.NewStream(set)
		var out strings.Builder
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			out.WriteString(st.Next(rest[:n]))
			rest = rest[n:]
		}
		out.WriteString(st.Rest())
		if want := set.String(text); out.String() != want {
			t.Fatalf("got %q, want %q", out.String(), want)
		}
	})
}

func TestAStreamHoldsBackOnlyWhatCouldBeAValue(t *testing.T) {
	st := redact.NewStream(newSet(secret))
	if got := st.Next("hello world"); got != "hello world" {
		t.Fatalf("got %q", got)
	}
	if got := st.Next(" sk"); got != " " {
		t.Fatalf("got %q", got)
	}
	if got := st.Next("y"); got != "sky" {
		t.Fatalf("got %q", got)
	}
}

func BenchmarkStringWithoutAValue(b *testing.B) {
	set := newSet("sk-proj-abcdefghijklmnopqrstuvwxyz0123456789")
	text := strings.Repeat("an ordinary sentence of an answer. ", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		set.String(text)
	}
}
