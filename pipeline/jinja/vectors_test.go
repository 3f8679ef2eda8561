package jinja_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/jinja"
	"github.com/haywardhq/hayward/pipeline/value"
)

// vectorDir is where the recorded results of Python lie: HAYWARD_VECTORS, or next to the checkout.
func vectorDir() string {
	if dir := os.Getenv("HAYWARD_VECTORS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "vectors")
}

type vector struct {
	ID     int             `json:"id"`
	Tpl    string          `json:"tpl"`
	Ctx    json.RawMessage `json:"ctx"`
	Strict bool            `json:"strict"`
	Out    *string         `json:"out"`
	Err    string          `json:"err"`
}

// class and text of an error as Python prints them.
func pyError(err error) string {
	f := fault.From(err)
	return f.Code + ": " + f.Message
}

func TestVectors(t *testing.T) {
	for _, file := range []string{"jinja.json", "jinja_atomic.json"} {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(vectorDir(), file))
			if err != nil {
				t.Skipf("part missing: the recorded results %s are not here (HAYWARD_VECTORS names their folder)", file)
			}
			var cases []vector
			if err := json.Unmarshal(data, &cases); err != nil {
				t.Fatal(err)
			}
			if len(cases) == 0 {
				t.Fatal("no cases")
			}
			for _, c := range cases {
				runVector(t, c)
			}
		})
	}
}

func runVector(t *testing.T, c vector) {
	t.Helper()
	ctx, err := value.FromJSON(c.Ctx)
	if err != nil {
		t.Fatal(err)
	}
	opt := jinja.Options{}
	if c.Strict {
		opt.Undefined = jinja.Strict
	}
	got, err := render(jinja.New(opt), c.Tpl, ctx.(*value.Dict))
	switch {
	case c.Out != nil && err != nil:
		t.Errorf("%d %q: %s, want %q", c.ID, c.Tpl, pyError(err), *c.Out)
	case c.Out != nil && got != *c.Out:
		t.Errorf("%d %q:\n got %q\nwant %q", c.ID, c.Tpl, got, *c.Out)
	case c.Out == nil && err == nil:
		t.Errorf("%d %q: %q, want error %s", c.ID, c.Tpl, got, c.Err)
	case c.Out == nil && pyError(err) != c.Err:
		t.Errorf("%d %q:\n got error %s\nwant error %s", c.ID, c.Tpl, pyError(err), c.Err)
	}
}

func render(env *jinja.Env, tpl string, vars *value.Dict) (string, error) {
	c, err := env.Compile(tpl, "")
	if err != nil {
		return "", err
	}
	return c.Render(context.Background(), vars)
}
