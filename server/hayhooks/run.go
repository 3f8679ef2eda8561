package hayhooks

import (
	"context"
	"errors"
	"mime"
	"net/http"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/server/router"
)

func (d *Door) run(ctx context.Context, r *router.Request) (any, error) {
	if r.PathValue("verb") != "run" {
		return nil, fault.New(fault.NotFound, "Not Found")
	}
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
	case ct == "" || mt == "application/json":
		b, err := r.Body()
		if err != nil {
			return err
		}
		req.Inputs, err = router.DecodeDict(b)
		return err
	}
	return fault.New(fault.Invalid, "the body must be application/json or multipart/form-data").WithCode("ContentType")
}

// runError puts a run's failure into Hayhooks' words, and missing inputs into FastAPI's.
func runError(err error) error {
	var missing *inputs.MissingError
	if errors.As(err, &missing) {
		list := make([]router.FieldError, len(missing.Names))
		for i, n := range missing.Names {
			list[i] = router.FieldError{Type: "missing", Loc: []any{"body", n}, Msg: "Field required"}
		}
		return router.Fields(list...)
	}
	if f := fault.From(err); f.Kind == fault.Failed {
		named := *f
		named.Message = "Pipeline execution failed: " + f.Message
		return &named
	}
	return err
}
