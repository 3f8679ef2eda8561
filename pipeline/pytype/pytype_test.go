package pytype

import (
	"slices"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
)

func TestLimits(t *testing.T) {
	for name, s := range map[string]string{
		"length": "list[" + strings.Repeat(" ", MaxLength) + "str]",
		"depth":  strings.Repeat("list[", MaxDepth+1) + "str" + strings.Repeat("]", MaxDepth+1),
		"args":   "tuple[" + strings.Repeat("str,", MaxArgs) + "str]",
		"arms":   strings.Repeat("str|", MaxArgs+1) + "str",
	} {
		if _, err := Parse(s); !fault.Is(err, fault.TooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	deep := strings.Repeat("list[", MaxDepth) + "str" + strings.Repeat("]", MaxDepth)
	if got, err := Parse(deep); err != nil || got.String() != deep {
		t.Errorf("at the limit: %v", err)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		in   string
		kind fault.Kind
		text string // in the sentence or the hint
	}{
		{"my.own.Class", fault.Unsupported, `"my.own.Class"`},
		{"haystack.dataclasses.Nope", fault.Unsupported, `"haystack.dataclasses.Nope"`},
		{"Document", fault.Invalid, "haystack.dataclasses.document.Document"},
		{"list[str", fault.Invalid, "a bracket is not closed"},
		{"str[int]", fault.Invalid, "takes no parameters"},
		{"typing.Dict[str]", fault.Invalid, "takes 2 parameters, not 1"},
		{"eval", fault.Invalid, `"eval"`},
	} {
		_, err := Parse(c.in)
		f := fault.From(err)
		if f == nil || f.Kind != c.kind || f.Code != "DeserializationError" || !strings.Contains(f.Message+f.Hint, c.text) {
			t.Errorf("Parse(%q): %v (hint %q)", c.in, err, f.Hint)
		}
	}
}

func TestListLike(t *testing.T) {
	for in, want := range map[string]bool{
		"list": true, "list[str]": true, "typing.List[str]": true, "list[str] | None": true, "typing.Optional[list]": true,
		"list[str] | list[int] | None": true, "list[str] | str": false, "str | None": false, "None | NoneType": false,
		"collections.abc.Iterable[str]": false, "tuple[str]": false, "typing.Any": false,
	} {
		if got := MustParse(in).ListLike(); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestDataClasses(t *testing.T) {
	const doc, msg = "haystack.dataclasses.document.Document", "haystack.dataclasses.chat_message.ChatMessage"
	for in, want := range map[string][]DataClass{
		"str":                                 nil,
		doc:                                   {{doc, 0}},
		"list[" + doc + "] | None":            {{doc, 1}},
		"list[list[" + doc + "]]":             {{doc, 2}},
		"str | list[" + msg + "]":             {{msg, 1}},
		doc + " | list[" + doc + "]":          {{doc, 0}, {doc, 1}},
		"dict[str, " + doc + "]":              nil,
		"list[" + doc + " | " + msg + "]":     {{doc, 1}, {msg, 1}},
		"typing.Callable[[" + doc + "], str]": nil,
	} {
		if got := MustParse(in).DataClasses(); !slices.Equal(got, want) {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestUntrusted(t *testing.T) {
	for in, want := range map[string]string{
		"list[str | pathlib.Path]": "pathlib.Path", "typing.Any": "", "tuple[int, ...]": "", "collections.deque[int]": "",
		"haystack.dataclasses.Document | None": "",
	} {
		if got := MustParse(in).Untrusted(); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range []string{"list[str | None]", "typing.Literal['a', b'\\x00', -1]", "typing.Callable[..., str]", "tuple[int, ...]",
		"typing.Optional[typing.Union[str, None]]", "None | typing.List[str]", "dict[str,]", "typing.Literal[r'\\']", "[", "list[[str]]"} {
		f.Add(c)
	}
	any := MustParse("typing.Any")
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := Parse(s)
		if err != nil {
			if k := fault.KindOf(err); k == fault.Internal {
				t.Fatalf("Parse(%q): internal error %v", s, err)
			}
			return
		}
		canon := typ.String()
		again, err := Parse(canon)
		if err != nil {
			if fault.Is(err, fault.TooLarge) {
				return // repr writes some literals longer than they came
			}
			t.Fatalf("Parse(%q) writes %q, which does not parse: %v", s, canon, err)
		}
		if again.String() != canon {
			t.Fatalf("%q -> %q -> %q", s, canon, again)
		}
		if !CompatibleStrict(typ, typ) || !CompatibleStrict(typ, any) {
			t.Fatalf("%q does not fit itself or Any", s)
		}
		if _, ok := CommonType(typ, any); !ok {
			t.Fatalf("%q shares nothing with Any", s)
		}
		typ.Display()
	})
}

func BenchmarkCompatible(b *testing.B) {
	s, r := MustParse("list[haystack.dataclasses.ChatMessage]"), MustParse("str | list[str] | None")
	for b.Loop() {
		Compatible(s, r)
	}
}
