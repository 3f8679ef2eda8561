package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/server"
	"github.com/haywardhq/hayward/server/router"
)

type door []router.Route

func (d door) Routes() []router.Route { return d }

// The time limit on reading is for reading: a run that takes longer than that, once its body has come, goes on.
func TestALongRunOutlivesTheReadTimeout(t *testing.T) {
	slow := func(ctx context.Context, r *router.Request) (any, error) {
		if _, err := r.Body(); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(400 * time.Millisecond):
			return "done", nil
		}
	}
	const open = "a test"
	rt := router.New(router.Options{}, door{{Method: "POST", Path: "/x", Handler: slow, Open: open}, {Method: "GET", Path: "/x", Handler: slow, Open: open}})
	s, _, _ := serve(t, server.Options{Handler: rt, ReadTimeout: 100 * time.Millisecond})
	for _, body := range []io.Reader{nil, strings.NewReader(`{}`), struct{ io.Reader }{strings.NewReader(`{}`)}} {
		method := "POST"
		if body == nil {
			method = "GET"
		}
		req, err := http.NewRequest(method, s.URL()+"/x", body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != `"done"` {
			t.Errorf("%s: %d %s", method, resp.StatusCode, b)
		}
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
	if b, _ := io.ReadAll(conn); !strings.HasPrefix(string(b), "HTTP/1.1 408 ") || !strings.Contains(string(b), "too long to arrive") {
		t.Errorf("a body that never comes gets %s", b)
	}
}
