package local

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/haywardhq/hayward/egress"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

// MaxFile is the most bytes of a pipeline file that are read.
const MaxFile = 1 << 20

// File is a pipeline file, compiled.
type File struct {
	Path string
	Plan *pipeline.Plan
}

// Has reports whether the pipeline has a component of that name.
func (f *File) Has(name string) bool { return isComponent(f.Plan, name) }

// Load reads and compiles a pipeline file. "-" is not a file: a pipeline has a place that errors can name.
func Load(path string, registry *component.Registry) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the pipeline file cannot be read")
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "the pipeline file cannot be read")
	case len(src) > MaxFile:
		return nil, fault.New(fault.TooLarge, "the pipeline file %s is larger than %d bytes", path, MaxFile)
	}
	plan, err := pipeline.Load(src, path, registry, pipeline.LoadOptions{})
	if err != nil {
		return nil, err
	}
	return &File{Path: path, Plan: plan}, nil
}

// Options configures [NewSession].
type Options struct {
	Lookup func(name string) (string, bool)           // the environment: os.LookupEnv
	Report func(name string, dest sealed.Destination) // told which secret goes where; may be nil
	Log    *slog.Logger                               // warnings of components; may be nil
	Stream func(component string, chunk string) error // told what models say while they say it; may be nil
}

// Session runs files that share their document stores.
type Session struct {
	o        Options
	http     *egress.Client
	stores   *memory.Manager
	resolver pipeline.Resolver
}

// NewSession returns a session with empty document stores.
func NewSession(o Options) *Session {
	return &Session{o: o, http: egress.New(egress.Local(), egress.Options{}), stores: memory.NewManager(nil, memory.Options{}),
		resolver: pipeline.Environment(o.Lookup, pipeline.Trust{Laptop: true, Report: o.Report})}
}

// Run runs one file. given holds declared inputs by their names, or Haystack's own form; nil is none. The outputs are what
// Python's Pipeline.run returns: the file's declared outputs, which are Hayhooks' business, change nothing.
func (s *Session) Run(ctx context.Context, f *File, given *value.Dict, include []string) (*pipeline.Result, error) {
	in, err := inputs.Read(f.Plan, inputs.Request{Given: blend(f.Plan, given)})
	var missing *inputs.MissingError
	if errors.As(err, &missing) {
		return nil, fault.New(fault.Invalid, "inputs are missing: %s", strings.Join(missing.Names, ", ")).WithCode("missing").
			At(fault.Where{Position: fault.Position{File: f.Path}, Field: missing.Names[0]}).WithHint("give them with --inputs; 'hayward pipeline check %s' lists all", f.Path)
	}
	if err != nil {
		return nil, err
	}
	opts := []pipeline.Option{
		pipeline.WithResolver(s.resolver),
		pipeline.WithHTTP(s.http),
		pipeline.WithStores(s.stores.Provider("local", "local", storeName(f.Path))),
		pipeline.WithFiles(disk{}),
		pipeline.IncludeOutputsFrom(include...),
	}
	if s.o.Log != nil {
		opts = append(opts, pipeline.WithLogger(s.o.Log))
	}
	if s.o.Stream != nil {
		opts = append(opts, pipeline.WithStream(func(ev pipeline.StreamEvent) error { return s.o.Stream(ev.Component, ev.Chunk.Content) }))
	}
	return f.Plan.Run(ctx, in.Inputs, opts...)
}

// storeName tells the stores without an index of one file from those of another of the same name elsewhere.
func storeName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// disk opens files of this machine.
type disk struct{}

// Open implements component.Files.
func (disk) Open(_ context.Context, path string) (io.ReadCloser, error) { return os.Open(path) }
