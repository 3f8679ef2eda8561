package part

import (
	"context"
	"io"
	"log/slog"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore"
)

// OpenStore opens a document store for the tenant of this run.
func OpenStore(ctx context.Context, env *component.Env, ref docstore.Ref) (docstore.Store, error) {
	stores := env.Stores()
	if stores == nil {
		return nil, fault.New(fault.Unavailable, "component '%s' needs a document store, and none can be opened here", env.Component())
	}
	return stores.Open(ctx, ref)
}

// OpenFile opens a local file that an input names, where that is allowed at all.
func OpenFile(ctx context.Context, env *component.Env, path string) (io.ReadCloser, error) {
	files := env.Files()
	if files == nil {
		return nil, fault.New(fault.Unsupported, "local files cannot be read here").
			WithHint("upload the file, or send its content as a ByteStream")
	}
	return files.Open(ctx, path)
}

// Log returns the run's logger; it is never nil.
func Log(env *component.Env) *slog.Logger {
	return env.Log()
}
