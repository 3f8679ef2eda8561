package router

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Limits of a multipart body, beside its size.
const (
	maxParts     = 1000
	maxFieldSize = 1 << 20 // of a part that is not a file
)

// ReadForm reads a multipart/form-data body: parts with a file name are files, the others are inputs by their field
// name, as strings; a field that comes several times becomes a list. A file field that was left empty, as browsers send it,
// is nothing. What a string means is up to the socket it goes to (inputs.Request.Text).
func ReadForm(r *Request) (*value.Dict, []inputs.File, error) {
	mr, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fault.New(fault.Invalid, "the body is not multipart/form-data with a boundary")
	}
	fields, files := &value.Dict{}, []inputs.File(nil)
	for n := 0; ; n++ {
		part, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, files, nil
		}
		if err != nil {
			return nil, nil, bodyError(err)
		}
		if n == maxParts {
			return nil, nil, fault.New(fault.TooLarge, "the form has more than %d parts", maxParts)
		}
		if isFile(part) {
			f, err := readFile(part)
			if err != nil {
				return nil, nil, err
			}
			if f.Name != "" || len(f.Data) > 0 {
				files = append(files, f)
			}
			continue
		}
		if err := readField(part, fields); err != nil {
			return nil, nil, err
		}
	}
}

// isFile reports whether a part has a file name, be it an empty one.
func isFile(part *multipart.Part) bool {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	_, named := params["filename"]
	return err == nil && named
}

func readFile(part *multipart.Part) (inputs.File, error) {
	data, err := io.ReadAll(part)
	if err != nil {
		return inputs.File{}, bodyError(err)
	}
	f := inputs.File{Field: part.FormName(), Name: part.FileName(), ContentType: part.Header.Get("Content-Type"), Data: data}
	if !utf8.ValidString(f.Field) || !utf8.ValidString(f.Name) || !utf8.ValidString(f.ContentType) {
		return f, fault.New(fault.Invalid, "the name of an uploaded file or of its field is not UTF-8")
	}
	return f, nil
}

func readField(part *multipart.Part, into *value.Dict) error {
	text, err := io.ReadAll(io.LimitReader(part, maxFieldSize+1))
	name := part.FormName()
	switch {
	case err != nil:
		return bodyError(err)
	case len(text) > maxFieldSize:
		return fault.New(fault.TooLarge, "form field %q is larger than %d bytes", name, maxFieldSize).At(fault.Where{Field: name})
	case name == "":
		return fault.New(fault.Invalid, "a form field has no name")
	case !utf8.ValidString(name) || !utf8.Valid(text):
		return fault.New(fault.Invalid, "form field %q is not UTF-8", clip(name)).At(fault.Where{Field: clip(name)})
	}
	v := value.Str(text)
	have, ok := into.Get(name)
	if list, isList := have.(*value.List); ok && isList {
		into.Set(name, value.NewList(append(list.Items, v)...))
	} else if ok {
		into.Set(name, value.NewList(have, v))
	} else {
		into.Set(name, v)
	}
	return nil
}

// Text returns a form field that came once.
func Text(v value.Value) (string, bool) {
	s, ok := v.(value.Str)
	return string(s), ok
}
