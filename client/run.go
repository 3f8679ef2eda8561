package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// RunRequest asks for one run of a deployed pipeline.
type RunRequest struct {
	Pipeline           string
	Inputs             *value.Dict // declared inputs, or {component: {socket: value}}; nil is none
	IncludeOutputsFrom []string
	Files              []Upload // sent with the inputs; IncludeOutputsFrom does not go with files
	// Sent is told how many bytes of the files went out; may be nil.
	Sent func(n int)
	// Chunk takes what models say while they say it; may be nil.
	Chunk func(component, text string) error
}

// Upload is a file of this machine.
type Upload struct {
	Field string // a declared input, or "sources"
	Path  string
}

// RunAnswer is what a run gave.
type RunAnswer struct {
	RunID     string
	RequestID string
	Pipeline  string
	Version   int64
	Outputs   *value.Dict // {component: {socket: value}}, data classes as dictionaries
	Declared  *value.Dict // {declared output: value}; nil when the file declares none
	Warnings  []string
	Millis    int64
	Raw       []byte // the answer as it came
}

// Run runs a deployed pipeline.
func (c *Client) Run(ctx context.Context, r RunRequest) (RunAnswer, error) {
	req, err := r.request()
	if err != nil {
		return RunAnswer{}, err
	}
	if r.Chunk == nil {
		b, err := c.Bytes(ctx, req)
		if err != nil {
			return RunAnswer{}, err
		}
		return readRun(b)
	}
	req.Accept = "text/event-stream"
	resp, err := c.Open(ctx, req)
	if err != nil {
		return RunAnswer{}, err
	}
	defer resp.Body.Close()
	return readEvents(io.LimitReader(resp.Body, MaxAnswer), r.Chunk)
}

func (r RunRequest) request() (Request, error) {
	out := Request{Method: http.MethodPost, Path: pipelinePath(r.Pipeline) + "/runs"}
	inputs := r.Inputs
	if inputs == nil {
		inputs = &value.Dict{}
	}
	if len(r.Files) > 0 {
		var err error
		out.Stream, out.ContentType, err = form(inputs, r.Files, r.Sent)
		return out, err
	}
	body := append([]byte(`{"inputs":`), value.AppendJSON(nil, inputs)...)
	if len(r.IncludeOutputsFrom) > 0 {
		names, err := json.Marshal(r.IncludeOutputsFrom)
		if err != nil {
			return out, fault.Wrap(fault.Invalid, err, "the request cannot be encoded")
		}
		body = append(append(body, `,"include_outputs_from":`...), names...)
	}
	out.Body = append(body, '}')
	return out, nil
}

func readRun(b []byte) (RunAnswer, error) {
	bad := func() (RunAnswer, error) {
		return RunAnswer{}, fault.New(fault.Failed, "the server's answer to the run is not what this client understands").
			WithHint("client and server may be of different versions")
	}
	v, err := value.FromJSON(b)
	d, ok := v.(*value.Dict)
	if err != nil || !ok {
		return bad()
	}
	out := RunAnswer{Raw: b}
	var head struct {
		RunID     string   `json:"run_id"`
		RequestID string   `json:"request_id"`
		Pipeline  string   `json:"pipeline"`
		Version   int64    `json:"version"`
		Warnings  []string `json:"warnings"`
		Millis    int64    `json:"ms"`
	}
	if json.Unmarshal(b, &head) != nil {
		return bad()
	}
	out.RunID, out.RequestID, out.Pipeline, out.Version, out.Warnings, out.Millis = head.RunID, head.RequestID, head.Pipeline, head.Version, head.Warnings, head.Millis
	outputs, _ := d.Get("outputs")
	if out.Outputs, ok = outputs.(*value.Dict); !ok {
		return bad()
	}
	declared, _ := d.Get("declared")
	out.Declared, _ = declared.(*value.Dict)
	return out, nil
}

// readEvents reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): chunks, then the
// result or an error.
func readEvents(r io.Reader, chunk func(component, text string) error) (RunAnswer, error) {
	lines := bufio.NewReader(r)
	var name string
	var data []byte
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return RunAnswer{}, fault.Wrap(fault.Unavailable, err, "the stream broke off before the run ended")
		}
		line = bytes.TrimRight(line, "\r\n")
		switch field, text, _ := bytes.Cut(line, []byte(":")); {
		case len(line) == 0:
			out, done, err := event(name, data, chunk)
			if done || err != nil {
				return out, err
			}
			name, data = "", nil
		case string(field) == "event":
			name = strings.TrimPrefix(string(text), " ")
		case string(field) == "data":
			data = append(data, bytes.TrimPrefix(text, []byte(" "))...)
		}
	}
}

func event(name string, data []byte, chunk func(component, text string) error) (out RunAnswer, done bool, err error) {
	switch name {
	case "chunk":
		var c struct {
			Component string `json:"component"`
			Chunk     struct {
				Content string `json:"content"`
			} `json:"chunk"`
		}
		if err := json.Unmarshal(data, &c); err != nil {
			return out, false, fault.Wrap(fault.Failed, err, "a chunk of the stream cannot be read")
		}
		return out, false, chunk(c.Component, c.Chunk.Content)
	case "result":
		out, err := readRun(data)
		return out, true, err
	case "error":
		if err := problemFault(http.StatusInternalServerError, data); err != nil {
			return out, true, err
		}
		return out, true, fault.New(fault.Failed, "the run failed, and the server's reason cannot be read")
	}
	return out, false, nil
}

// Upload sends files to a pipeline the way Hayhooks' clients do: POST /{pipeline}/run. The answer is {component: {socket:
// value}}.
func (c *Client) Upload(ctx context.Context, pipeline string, files []Upload, sent func(n int)) (*value.Dict, error) {
	body, contentType, err := form(&value.Dict{}, files, sent)
	if err != nil {
		return nil, err
	}
	b, err := c.Bytes(ctx, Request{Method: http.MethodPost, Path: "/" + segment(pipeline) + "/run", Stream: body, ContentType: contentType})
	if err != nil {
		return nil, err
	}
	v, err := value.FromJSON(b)
	if d, ok := v.(*value.Dict); err == nil && ok {
		if result, _ := d.Get("result"); result != nil {
			if out, ok := result.(*value.Dict); ok {
				return out, nil
			}
		}
	}
	return nil, fault.New(fault.Failed, "the server's answer to the upload is not what this client understands")
}

// form streams a multipart body: the inputs as fields, then the files. Values that are no text are sent as JSON, which the
// server reads where a socket takes no text.
func form(inputs *value.Dict, files []Upload, sent func(n int)) (io.Reader, string, error) {
	for _, f := range files {
		if info, err := os.Stat(f.Path); err != nil || info.IsDir() {
			return nil, "", fault.Wrap(fault.Invalid, err, "%s is not a file that can be sent", f.Path).At(fault.Where{Field: f.Field})
		}
	}
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() { w.CloseWithError(writeForm(m, inputs, files, sent)) }()
	return r, m.FormDataContentType(), nil
}

func writeForm(m *multipart.Writer, inputs *value.Dict, files []Upload, sent func(n int)) error {
	for k, v := range inputs.All() {
		text, ok := v.(value.Str)
		if !ok {
			text = value.Str(value.AppendJSON(nil, v))
		}
		if err := m.WriteField(value.ToStr(k), string(text)); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := writeFile(m, f, sent); err != nil {
			return err
		}
	}
	return m.Close()
}

// writeFile sends one file with the type that its name says: what the other side guesses from the content alone is worse.
func writeFile(m *multipart.Writer, u Upload, sent func(n int)) error {
	f, err := os.Open(u.Path)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "a file cannot be sent")
	}
	defer f.Close()
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", multipart.FileContentDisposition(u.Field, filepath.Base(u.Path)))
	h.Set("Content-Type", mimeOf(u.Path))
	part, err := m.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = io.Copy(counter{part, sent}, f)
	return err
}

type counter struct {
	w    io.Writer
	sent func(n int)
}

// Write implements io.Writer.
func (c counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if c.sent != nil {
		c.sent(n)
	}
	return n, err
}

// mimeOf is a short table of its own: the system's differs from machine to machine.
func mimeOf(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".html", ".htm":
		return "text/html"
	case ".md", ".markdown":
		return "text/markdown"
	case ".txt", ".text":
		return "text/plain"
	case ".csv":
		return "text/csv"
	case ".json":
		return "application/json"
	case ".yaml", ".yml":
		return "application/yaml"
	case ".pdf":
		return "application/pdf"
	}
	return "application/octet-stream"
}
