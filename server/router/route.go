package router

import (
	"context"
	"io"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
)

// Handler serves one request. It returns what to send: nil (204), any value (200, as JSON), or a *Response. An error is
// written in the route's dialect.
type Handler func(ctx context.Context, r *Request) (any, error)

// Route is one line of the mount list.
type Route struct {
	Method  string
	Path    string // a net/http pattern path: "/api/v1/pipelines/{name}"
	Handler Handler
	// Last routes are tried when no other route has the path: "/{name}/run" would conflict with "/undeploy/{name}".
	Last bool

	// Action is what the service behind it asks the policy for; "" needs Open or Self.
	Action policy.Action
	// Open is the reason why this route needs no identity.
	Open string
	// Self marks routes that any verified identity may call, because they concern only itself.
	Self bool
	// Key, if not nil, is asked first who a bearer is: a credential that it knows opens this route and no other. Who is not known to
	// it is asked for as everywhere.
	Key func(ctx context.Context, bearer string) (Identity, bool)

	Dialect  Dialect
	Tag      string
	Summary  string
	MaxBody  int64 // bytes; 0 means the server's default
	Stream   bool  // may answer with a stream: no write deadline
	Accepts  []Body
	Params   []Param // query parameters
	Answers  any     // a value of the type that a 200 carries, for the OpenAPI document; nil for none
	Created  bool    // the success status is 201
	Document bool    // listed in the OpenAPI document
}

// Body describes one kind of request body for the OpenAPI document.
type Body struct {
	ContentType string
	Example     any // a value of the type that is decoded; its exported fields with json tags make the schema
}

// Param is a query parameter.
type Param struct {
	Name, Doc string
	Integer   bool
}

// Mounter is a door: a struct whose fields are its dependencies, and the routes it opens.
type Mounter interface {
	Routes() []Route
}

// Response is an answer other than a plain 200 with JSON.
type Response struct {
	Status int
	Header http.Header
	// JSON is the body as a value; nil means that Body or Write gives it.
	JSON any
	// Body is the body as bytes, with the Content-Type from Header.
	Body []byte
	// Write streams the body; flush pushes what was written to the client. The status goes out with the first byte: an error
	// before that is answered like any other, one after it cuts the connection.
	Write func(w io.Writer, flush func() error) error
}
