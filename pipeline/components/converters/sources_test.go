package converters

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// disk opens files of a map; "denied" is a path the host does not allow.
type disk map[string]string

func (d disk) Open(_ context.Context, path string) (io.ReadCloser, error) {
	if path == "denied" {
		return nil, fault.New(fault.Denied, "not here")
	}
	text, ok := d[path]
	if !ok {
		return nil, errors.New("no such file")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func convertText(t *testing.T, files component.Files, sources ...value.Value) ([]*document.Document, error) {
	t.Helper()
	reg := component.NewRegistry([]*component.Type{TextFileToDocumentType()}, nil)
	env := componenttest.With(componenttest.NewEnv(t), func(w *componenttest.World) { w.Files = files })
	out, err := componenttest.Run(t, componenttest.New(t, reg, TextFileToDocumentType().Name, nil), env,
		value.NewDict("sources", value.NewList(sources...)))
	if err != nil {
		return nil, err
	}
	docs, err := document.FromList(out["documents"])
	return docs, err
}

func TestLocalFiles(t *testing.T) {
	docs, err := convertText(t, disk{"/data/a.txt": "hello"}, value.Str("/data/a.txt"), value.Str("/data/missing.txt"))
	if err != nil || len(docs) != 1 || *docs[0].Content != "hello" || value.Repr(docs[0].Meta) != "{'file_path': 'a.txt'}" {
		t.Errorf("got %s, %v", value.Repr(document.List(docs)), err)
	}
	if _, err := convertText(t, disk{}, value.Str("denied")); !fault.Is(err, fault.Denied) {
		t.Errorf("a path that is not allowed: %v", err)
	}
	if _, err := convertText(t, nil, value.Str("/etc/passwd")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a path where there are no files: %v", err)
	}
}

func TestEncodings(t *testing.T) {
	for name, c := range map[string]struct{ data, encoding, want string }{
		"byte order mark":   {"\xef\xbb\xbfa", "", "a"},
		"utf-8 keeps it":    {"\xef\xbb\xbfa", "utf-8", "\ufeffa"},
		"latin-1":           {"caf\xe9", "latin-1", "café"},
		"latin1 controls":   {"\x80", "iso-8859-1", "\u0080"},
		"cp1252":            {"\x80", "cp1252", "€"},
		"utf-16":            {"\xff\xfea\x00", "utf-16", "a"},
		"ascii":             {"a", "ascii", "a"},
		"not ascii":         {"\xe9", "ascii", "skipped"},
		"not utf-8":         {"\xe9", "", "skipped"},
		"no such encoding":  {"a", "klingon", "skipped"},
		"undefined in 1252": {"\x81", "cp1252", "skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			meta := &value.Dict{}
			if c.encoding != "" {
				meta.Set("encoding", value.Str(c.encoding))
			}
			docs, err := convertText(t, nil, document.Bytes([]byte(c.data), "", meta))
			if err != nil {
				t.Fatal(err)
			}
			got := "skipped"
			if len(docs) == 1 {
				got = *docs[0].Content
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
