package hayhooks

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/server/router"
)

func (d *Door) run(ctx context.Context, r *router.Request) (any, error) {
	req := host.RunRequest{Pipeline: r.PathValue("name"), DeclaredOnly: true}
	if err := readRun(r, &req); err != nil {
		return nil, err
	}
	out, err := d.Host.Run(ctx, req)
	if err != nil {
		return nil, runError(err)
	}
	return answer(out), nil
}

// answer writes the outputs in the order the pipeline gave them.
func answer(out *host.RunResult) *router.Response {
	body := append([]byte(`{"result":`), value.AppendJSON(nil, out.Outputs)...)
	return &router.Response{Header: http.Header{"Content-Type": {"application/json"}, "X-Run-Id": {out.RunID}}, Body: append(body, '}')}
}

func readRun(r *router.Request, req *host.RunRequest) error {
	ct := r.Header.Get("Content-Type")
	mt, _, err := mime.ParseMediaType(ct)
	switch {
	case ct != "" && err != nil:
		return fault.New(fault.Invalid, "the Content-Type cannot be read")
	case mt == "multipart/form-data":
		req.Text = true
		req.Inputs, req.Files, err = router.ReadForm(r)
		return err
	case ct == "" || mt == "application/json" || strings.HasSuffix(mt, "+json"):
		req.Inputs, err = r.DecodeDict()
		return err
	}
	return fault.New(fault.Invalid, "the body must be application/json or multipart/form-data").WithCode("ContentType")
}

// runError puts a run's failure into Hayhooks' words, and what is wrong with its inputs into FastAPI's.
func runError(err error) error {
	var missing *inputs.MissingError
	var misfits *inputs.TypeError
	f := fault.From(err)
	switch {
	case errors.As(err, &missing):
		list := make([]router.FieldError, len(missing.Names))
		for i, n := range missing.Names {
			list[i] = router.FieldError{Type: "missing", Loc: []any{"body", n}, Msg: "Field required"}
		}
		return router.Fields(list...)
	case errors.As(err, &misfits):
		list := make([]router.FieldError, len(misfits.Inputs))
		for i, m := range misfits.Inputs {
			list[i] = router.FieldError{Type: m.Type, Loc: []any{"body", m.Name}, Msg: m.Message}
		}
		return router.Fields(list...)
	case f.Code == inputs.CodeUnknown:
		msg := f.Message
		if f.Hint != "" {
			msg += " (" + f.Hint + ")"
		}
		return router.Fields(router.FieldError{Type: "extra_forbidden", Loc: []any{"body", f.Where.Field}, Msg: msg})
	case f.Kind == fault.Failed:
		named := *f
		named.Message = "Pipeline execution failed: " + f.Message
		return &named
	}
	return err
}
