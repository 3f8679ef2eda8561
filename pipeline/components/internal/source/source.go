package source

import (
	"context"
	"io"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// maxFile bounds how much of a local file is read, in bytes.
const maxFile = 256 << 20

// Refused tells a source that may not be read from one that cannot be.
func Refused(err error) bool { return fault.Is(err, fault.Unsupported) || fault.Is(err, fault.Denied) }

// Open returns the stream behind a source: a ByteStream as it is, a path as the file it names, with the path as
// meta.file_path.
func Open(ctx context.Context, env *component.Env, src value.Value) (*document.ByteStream, error) {
	switch src := src.(type) {
	case *document.ByteStream:
		return src, nil
	case value.Str:
		f, err := part.OpenFile(ctx, env, string(src))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
		if err != nil {
			return nil, err
		}
		if len(data) > maxFile {
			return nil, fault.New(fault.TooLarge, "a file has more than %d bytes", maxFile)
		}
		return document.Bytes(data, "", value.NewDict("file_path", src)), nil
	}
	return nil, part.ValueError("Unsupported source type <class '%s'>", value.TypeName(src))
}

// Meta gives each source its meta: none, one for all, or one of a list.
func Meta(meta value.Value, n int) ([]*value.Dict, error) {
	out := make([]*value.Dict, n)
	switch m := meta.(type) {
	case *value.Dict:
		for i := range out {
			out[i] = m
		}
		return out, nil
	case *value.List:
		if len(m.Items) != n {
			return nil, part.ValueError("The length of the metadata list must match the number of sources.")
		}
		for i, it := range m.Items {
			d, ok := it.(*value.Dict)
			if !ok {
				return nil, part.Wrong("meta", "a list of mappings", it)
			}
			out[i] = d
		}
		return out, nil
	}
	if !value.IsNone(meta) {
		return nil, part.ValueError("meta must be either None, a dictionary or a list of dictionaries.")
	}
	for i := range out {
		out[i] = &value.Dict{}
	}
	return out, nil
}
