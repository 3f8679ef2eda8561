package router

import (
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/haywardhq/hayward/fault"
)

// Request is what a handler sees of a request.
type Request struct {
	*http.Request
	Who       Identity // zero on open routes
	RequestID string
	IP        string // the client's address, behind trusted proxies
	route     *Route
	control   *http.ResponseController
}

// Body reads the whole body, within the route's limit.
func (r *Request) Body() ([]byte, error) {
	b, err := io.ReadAll(r.Request.Body)
	return b, bodyError(err)
}

// bodyError gives a kind to what reading a body can fail with.
func bodyError(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return WithStatus(http.StatusRequestTimeout, fault.Wrap(fault.Timeout, err, "the body took too long to arrive"))
	}
	return fault.Wrap(fault.Invalid, err, "the body could not be read to its end")
}

func tooLarge(most int64) error {
	return fault.New(fault.TooLarge, "the body is larger than %d bytes", most).
		WithHint("send less, or ask the operator to raise the limit")
}
