package openbao

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// Engine asks a secrets engine that is no source of values, such as transit, with a token that is kept alive as a [Source]
// keeps it: vault/keyring/transit does. It is safe for concurrent use.
type Engine struct {
	w       *wire
	session *session
	mount   string
}

// NewEngine returns an engine. o is read as by [New]; Mount must say where the engine is mounted, and what only a source of
// values needs is ignored. It asks the server nothing yet.
func NewEngine(o Options) (*Engine, error) {
	if o.Mount == "" {
		return nil, fault.New(fault.Invalid, "the path of the engine is missing").At(fault.Where{Field: "mount"})
	}
	w, s, o, err := dial(o)
	if err != nil {
		return nil, err
	}
	return &Engine{w, s, o.Mount}, nil
}

// Server returns the server's origin.
func (e *Engine) Server() sealed.Destination { return e.w.dest }

// Write sends a JSON body to a path below the mount, and returns the member "data" of the answer. Answers that ask to come
// again are repeated, and a token that has ended is replaced. status is 200, or what the server refuses with: its own words
// stay inside, because they may quote what was sent. Then data is empty and err nil.
func (e *Engine) Write(ctx context.Context, path string, body []byte) (data json.RawMessage, status int, err error) {
	a, err := e.session.do(ctx, request{method: http.MethodPost, path: escape(e.mount) + "/" + escape(path), body: body})
	if err != nil {
		return nil, 0, err
	}
	if a.status != http.StatusOK {
		return nil, a.status, nil
	}
	return a.Data, a.status, nil
}

// Close ends the keeping of the token. A token that came from a login ends by itself.
func (e *Engine) Close() error {
	e.session.close()
	return nil
}
