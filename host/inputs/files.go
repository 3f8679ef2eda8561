package inputs

import (
	"slices"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// place puts uploads where they belong: a declared input of the field's name, else the sockets named "sources".
func place(p *pipeline.Plan, d pipeline.Declared, types map[pipeline.Socket]pipeline.InputInfo, out *value.Dict, files []File) (beyond bool, err error) {
	for _, f := range files {
		targets, outside := destination(p, d, f.Field)
		if len(targets) == 0 {
			return false, fault.New(fault.Invalid, "the pipeline has no input for the uploaded file in field %q", f.Field).
				At(fault.Where{Field: f.Field}).WithHint("name the field after a declared input (%s), or give the pipeline a converter with a sources socket",
				strings.Join(d.InputNames(), ", "))
		}
		beyond = beyond || outside
		for _, t := range targets {
			if err := put(types, out, t, f); err != nil {
				return false, err
			}
		}
	}
	return beyond, nil
}

func destination(p *pipeline.Plan, d pipeline.Declared, field string) (targets []pipeline.Socket, beyond bool) {
	for _, in := range d.Inputs {
		if in.Name == field {
			return in.Targets, false
		}
	}
	for _, in := range d.Inputs {
		for _, t := range in.Targets {
			if t.Socket == "sources" {
				targets = append(targets, t)
			}
		}
	}
	if len(targets) > 0 || len(d.Inputs) > 0 {
		return targets, false
	}
	for _, in := range p.Inputs() {
		if in.Socket == "sources" {
			targets = append(targets, pipeline.Socket{Component: in.Component, Socket: in.Socket})
		}
	}
	return targets, true
}

func put(types map[pipeline.Socket]pipeline.InputInfo, out *value.Dict, t pipeline.Socket, f File) error {
	v, _ := out.Get(t.Component)
	dict, ok := v.(*value.Dict)
	if !ok {
		dict = &value.Dict{}
		out.Set(t.Component, dict)
	}
	if in := types[t]; !takesFiles(in) {
		return fault.New(fault.Invalid, "input %s takes no files: its type is %s", t, in.Type.Display()).
			At(fault.Where{Component: t.Component, Socket: t.String(), Field: f.Field})
	}
	stream := f.byteStream()
	have, given := dict.Get(t.Socket)
	switch list, isList := have.(*value.List); {
	case given && isList:
		dict.Set(t.Socket, value.NewList(append(slices.Clone(list.Items), stream)...))
	case given:
		return fault.New(fault.Invalid, "input %s takes one file, and got several", t).At(fault.Where{Socket: t.String(), Field: f.Field})
	case takesList(types[t]):
		dict.Set(t.Socket, value.NewList(stream))
	default:
		dict.Set(t.Socket, stream)
	}
	return nil
}

// takesFiles reports whether a ByteStream fits: the type names it, or names nothing in particular.
func takesFiles(in pipeline.InputInfo) bool {
	if in.Type == nil {
		return true
	}
	return slices.ContainsFunc(in.Type.DataClasses(), func(c pytype.DataClass) bool { return strings.HasSuffix(c.Path, ".ByteStream") }) ||
		pytype.CompatibleStrict(streamType, in.Type) || pytype.CompatibleStrict(streamsType, in.Type)
}

var (
	strType     = pytype.MustParse("str")
	streamType  = pytype.MustParse("haystack.dataclasses.byte_stream.ByteStream")
	streamsType = pytype.MustParse("list[haystack.dataclasses.byte_stream.ByteStream]")
)

func takesList(in pipeline.InputInfo) bool {
	return in.Type == nil || !slices.ContainsFunc(in.Type.DataClasses(), func(c pytype.DataClass) bool {
		return c.Lists == 0 && strings.HasSuffix(c.Path, ".ByteStream")
	})
}

// byteStream is the upload as converters see it: as if the file had been read from a path of its last element's name.
func (f File) byteStream() *document.ByteStream {
	meta := &value.Dict{}
	if name := baseName(f.Name); name != "" {
		meta.Set("file_path", value.Str(name))
	}
	mime, _, _ := strings.Cut(f.ContentType, ";")
	return document.Bytes(f.Data, strings.TrimSpace(mime), meta)
}

// baseName is the last element of a name from a client, which may be a path of another system.
func baseName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if name == "." || name == ".." || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return ""
	}
	return name
}
