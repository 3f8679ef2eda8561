package host

import (
	"context"
	"io"

	"github.com/haywardhq/hayward/fault"
)

// noFiles refuses local paths: the disk is the server's, not the tenant's.
type noFiles struct{}

// Open implements component.Files.
func (noFiles) Open(context.Context, string) (io.ReadCloser, error) {
	return nil, fault.New(fault.Unsupported, "a file on the server's disk cannot be read by a pipeline").
		WithHint("upload the file with multipart/form-data, or send a ByteStream")
}
