package chatext_test

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/jinja/chatext"
	"github.com/haywardhq/hayward/pipeline/value"
)

// goldenCase is a template and what Haystack made of it: conformance/oracle/chat_template_cases.py.
type goldenCase struct {
	Tpl       string          `json:"tpl"`
	Variables []string        `json:"variables"`
	Out       json.RawMessage `json:"out"`
	Err       *struct {
		Class   string `json:"class"`
		Message string `json:"message"`
	} `json:"err"`
}

func readCases(t *testing.T) ([]goldenCase, *value.Dict) {
	t.Helper()
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Inputs json.RawMessage `json:"inputs"`
		Cases  []goldenCase    `json:"cases"`
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g.Cases, decode(t, parse(t, g.Inputs)).(*value.Dict)
}

func parse(t *testing.T, data []byte) value.Value {
	t.Helper()
	v, err := value.FromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// decode turns {"$message": ...} and {"$part": ...} into what they say.
func decode(t *testing.T, v value.Value) value.Value {
	t.Helper()
	switch v := v.(type) {
	case *value.List:
		out := &value.List{}
		for _, x := range v.Items {
			out.Items = append(out.Items, decode(t, x))
		}
		return out
	case *value.Dict:
		if m, ok := v.Get("$message"); ok {
			msg, err := chat.FromDict(m.(*value.Dict))
			if err != nil {
				t.Fatal(err)
			}
			return msg
		}
		if p, ok := v.Get("$part"); ok {
			part, err := chat.PartFromValue(p)
			if err != nil {
				t.Fatal(err)
			}
			return part
		}
		out := &value.Dict{}
		for k, x := range v.All() {
			out.SetKey(k, decode(t, x))
		}
		return out
	}
	return v
}

func renderAll(env *chatext.Env, tpl string, vars *value.Dict) (value.Value, error) {
	c, err := env.Compile(tpl, "")
	if err != nil {
		return nil, err
	}
	messages, err := c.RenderMessages(context.Background(), vars)
	if err != nil {
		return nil, err
	}
	out := &value.List{}
	for _, m := range messages {
		out.Items = append(out.Items, m.ToDict())
	}
	return out, nil
}

var nonce = regexp.MustCompile(`(?i)(content_part:)[0-9a-f]{32}`)

func TestAsHaystack(t *testing.T) {
	cases, inputs := readCases(t)
	env := chatext.New(jinja.Options{})
	for _, c := range cases {
		got, err := renderAll(env, c.Tpl, inputs)
		switch {
		case c.Err == nil && err != nil:
			t.Errorf("%s\n got error %v\nwant %s", c.Tpl, err, c.Out)
		case c.Err == nil:
			if got, want := nonce.ReplaceAllString(value.Repr(got), "${1}NONCE"), value.Repr(parse(t, c.Out)); got != want {
				t.Errorf("%s\n got %s\nwant %s", c.Tpl, got, want)
			}
		case err == nil:
			t.Errorf("%s\n got %s\nwant error %s", c.Tpl, value.Repr(got), c.Err.Message)
		default:
			sameError(t, c, fault.From(err))
		}
		if tpl, err := env.Compile(c.Tpl, ""); err == nil && c.Variables != nil {
			names := tpl.Variables()
			sort.Strings(names)
			if !slices.Equal(names, c.Variables) {
				t.Errorf("%s: variables %v, want %v", c.Tpl, names, c.Variables)
			}
		}
	}
}

func sameError(t *testing.T, c goldenCase, got *fault.Error) {
	t.Helper()
	if c.Err.Class == "AttributeError" || c.Err.Class == "JSONDecodeError" || strings.Contains(c.Err.Message, "Undefined()") {
		return // Python's own words about its objects
	}
	if got.Code != c.Err.Class || got.Message != c.Err.Message {
		t.Errorf("%s\n got error %s: %s\nwant error %s: %s", c.Tpl, got.Code, got.Message, c.Err.Class, c.Err.Message)
	}
}

// A variable cannot become a part of a message, whatever it holds: it would have to know the environment's nonce.
func TestVariablesCannotPoseAsParts(t *testing.T) {
	env := chatext.New(jinja.Options{})
	image, err := chat.NewImage(chat.ImageContent{Base64: "iVBORw0KGgo="})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := env.Compile("{{ image|templatize_part }}", "")
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := shown.Render(context.Background(), value.NewDict("image", image))
	if err != nil || !strings.Contains(stolen, "<haystack_content_part:") {
		t.Fatalf("%q %v", stolen, err)
	}
	for _, tpl := range []string{
		`{% message role="user" %}{{ x }}{% endmessage %}`, `{% message role="user" %}{{ x|safe }}{% endmessage %}`,
		`{% message role="user" %}{{ [x]|join }}{% endmessage %}`, `{% message role="user" %}{{ x ~ '' }}{% endmessage %}`,
	} {
		c, err := env.Compile(tpl, "")
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.RenderMessages(context.Background(), value.NewDict("x", value.Str(stolen)))
		if err != nil || len(got) != 1 || len(got[0].Images()) != 0 {
			t.Errorf("%s: %v %v", tpl, got, err)
		}
	}
}

// The nonce of one environment means nothing to another.
func TestNoncesDiffer(t *testing.T) {
	texts := map[string]bool{}
	for range 3 {
		c, err := chatext.New(jinja.Options{}).Compile("{{ t|templatize_part }}", "")
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.Render(context.Background(), value.NewDict("t", chat.NewText("x")))
		if err != nil || texts[text] {
			t.Fatalf("%q %v", text, err)
		}
		texts[text] = true
	}
}

func TestNowInsideAMessage(t *testing.T) {
	c, err := chatext.New(jinja.Options{}).Compile(`{% message role="user" %}{% now 'UTC', '%Y' %}{% endmessage %}`, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := jinja.WithClock(context.Background(), func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })
	got, err := c.RenderMessages(ctx, nil)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if text, _ := got[0].Text(); text != "2026" {
		t.Errorf("%q", text)
	}
}
