package router_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/server/router"
)

func at(line int) fault.Where {
	return fault.Where{Position: fault.Position{File: "x", Line: line, Column: 2}, Component: "c"}
}

// Every kind has one status, and both dialects carry place and hint; what is inside stays inside.
func TestKindsAndDialects(t *testing.T) {
	want := map[fault.Kind]int{fault.Internal: 500, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Denied: 403, fault.NotFound: 404, fault.Conflict: 409,
		fault.TooLarge: 413, fault.Limited: 429, fault.Unavailable: 503, fault.Timeout: 504, fault.Canceled: 499, fault.Unsupported: 422, fault.Failed: 500}
	for _, k := range fault.Kinds() {
		err := fault.Wrap(k, errors.New("inner words"), "outer words").WithHint("do this").WithCode("Code").At(at(3))
		native := route("GET", "/native", fails(err))
		native.Dialect = router.Native
		f := start(t, router.Options{}, route("GET", "/fast", fails(err)), native)
		resp, fast := f.send(t, "GET", "/fast", nil)
		remote := route("GET", "/remote", fails(err))
		remote.Dialect = router.OFREP
		if resp, text := start(t, router.Options{}, remote).send(t, "GET", "/remote", nil); resp.StatusCode != want[k] || strings.Contains(text, "inner") ||
			!strings.HasPrefix(text, `{"errorCode":"GENERAL","errorDetails":"`) || strings.Contains(text, "outer words (do this)") == (k == fault.Internal) {
			t.Errorf("%s: %d %s", k, resp.StatusCode, text)
		}
		_, text := f.send(t, "GET", "/native", nil)
		var p router.Problem
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		if code, listed := want[k]; !listed || resp.StatusCode != code || p.Status != code || p.Kind != k.String() {
			t.Errorf("%s: %d and %+v", k, resp.StatusCode, p)
		}
		if strings.Contains(fast+text, "inner words") {
			t.Errorf("%s shows its inside: %s %s", k, fast, text)
		}
		if k == fault.Internal {
			if strings.Contains(fast+text, "outer") || strings.Contains(fast+text, "do this") || p.Where != nil {
				t.Errorf("an internal error says %s %s", fast, text)
			}
			continue
		}
		if fast != `{"detail":"x:3:2: outer words (do this)"}` || p.Detail != "outer words" || p.Hint != "do this" || p.Code != "Code" || p.Where.Line != 3 {
			t.Errorf("%s: %s and %s", k, fast, text)
		}
	}
}

func TestSeveralProblemsAreAllShown(t *testing.T) {
	many := pipeline.Problems{fault.New(fault.Invalid, "first").At(at(1)).WithHint("h"), fault.New(fault.Invalid, "second").At(at(2)), fault.New(fault.Internal, "inner words")}
	hidden := fault.Wrap(fault.Unavailable, errors.Join(errors.New("inner words"), many), "outer")
	for name, tc := range map[string]struct {
		err  error
		fast string
		list int
	}{
		"several":        {many, `{"detail":"x:1:2: first (h)\nx:2:2: second\nInternal error."}`, 3},
		"with a status":  {router.WithStatus(400, many), `{"detail":"x:1:2: first (h)\nx:2:2: second\nInternal error."}`, 3},
		"joined":         {errors.Join(many[0], many[1]), `{"detail":"x:1:2: first (h)\nx:2:2: second"}`, 2},
		"inside a fault": {hidden, `{"detail":"outer"}`, 0},
		"only one":       {errors.Join(many[0]), `{"detail":"x:1:2: first (h)"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			native := route("GET", "/native", fails(tc.err))
			native.Dialect = router.Native
			f := start(t, router.Options{}, route("GET", "/fast", fails(tc.err)), native)
			if _, body := f.send(t, "GET", "/fast", nil); body != tc.fast {
				t.Errorf("got %s", body)
			}
			_, body := f.send(t, "GET", "/native", nil)
			var p router.Problem
			if json.Unmarshal([]byte(body), &p) != nil || len(p.Problems) != tc.list || strings.Contains(body, "inner words") {
				t.Errorf("got %s", body)
			}
		})
	}
}
