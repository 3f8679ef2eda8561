package chat

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// partFromOpenAI reads a part of a user's message.
func partFromOpenAI(v value.Value) (Part, error) {
	d, _ := v.(*value.Dict)
	kind, _ := get(d, "type").(value.Str)
	switch kind {
	case "text":
		text, ok := get(d, "text").(value.Str)
		if !ok {
			return nil, invalid("ValueError", "Unsupported text content part: %s. Text parts must contain a `text` string.", shortRepr(v))
		}
		return NewText(string(text)), nil
	case "image_url":
		return imageFromOpenAI(d)
	case "file":
		return fileFromOpenAI(d)
	}
	return nil, invalid("ValueError", "Unsupported content part: %s. Supported part types are `text`, `image_url`, and `file`.",
		shortRepr(v))
}

func imageFromOpenAI(d *value.Dict) (Part, error) {
	img, ok := get(d, "image_url").(*value.Dict)
	if !ok {
		return nil, invalid("ValueError", "Unsupported image content part: %s. Image parts must contain an `image_url` object.",
			shortRepr(d))
	}
	mime, data, err := splitDataURL(get(img, "url"))
	if err != nil {
		return nil, err
	}
	detail, err := optionalText(img, "detail")
	if err != nil {
		return nil, err
	}
	return asPart(NewImage(ImageContent{Base64: data, MIMEType: mime, Detail: detail, Validation: true}))
}

func fileFromOpenAI(d *value.Dict) (Part, error) {
	file, ok := get(d, "file").(*value.Dict)
	if !ok {
		return nil, invalid("ValueError", "Unsupported file content part: %s. File parts must contain a `file` object.", shortRepr(d))
	}
	data := get(file, "file_data")
	if !value.Truthy(data) {
		return nil, invalid("ValueError", "Unsupported file content part: %s. Only files with inline base64 `file_data` are supported: "+
			"files referenced by `file_id` cannot be converted.", shortRepr(d))
	}
	mime, body, err := splitDataURL(data)
	if err != nil {
		return nil, err
	}
	name, err := optionalText(file, "filename")
	if err != nil {
		return nil, err
	}
	return asPart(NewFile(FileContent{Base64: body, MIMEType: mime, Filename: name, Validation: true}))
}

// splitDataURL splits data:<mime>;base64,<data>.
func splitDataURL(v value.Value) (mime *string, data string, err error) {
	s, ok := v.(value.Str)
	header, data, found := strings.Cut(string(s), ";base64,")
	if !ok || !found || !strings.HasPrefix(header, "data:") {
		if v == nil {
			v = value.None
		}
		return nil, "", invalid("ValueError", "Unsupported URL: %s. Only base64 data URLs in the format "+
			"`data:<mime_type>;base64,<base64_data>` are supported.", shortRepr(v))
	}
	if header = header[len("data:"):]; header != "" {
		mime = &header
	}
	return mime, data, nil
}

// joinOpenAI collects the texts and the refusals of a list of parts.
func joinOpenAI(list *value.List, role string) (texts, refusals []string, err error) {
	for _, it := range list.Items {
		d, _ := it.(*value.Dict)
		kind, _ := get(d, "type").(value.Str)
		text, ok := get(d, string(kind)).(value.Str)
		switch {
		case ok && kind == "text":
			texts = append(texts, string(text))
		case ok && kind == "refusal" && role == "assistant":
			refusals = append(refusals, string(text))
		default:
			supported := "`text` parts with a `text` string"
			if role == "assistant" {
				supported += " and `refusal` parts with a `refusal` string"
			}
			return nil, nil, invalid("ValueError", "Unsupported content part in %s message: %s. Only %s are supported.", role,
				shortRepr(it), supported)
		}
	}
	return texts, refusals, nil
}
