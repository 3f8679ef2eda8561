package chat

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// ImageContent is an image, as base64.
type ImageContent struct {
	Base64     string
	MIMEType   *string     // nil is None
	Detail     *string     // "auto", "high", "low" or nil; OpenAI only
	Meta       *value.Dict // never nil in a made part
	Validation bool        // check the base64 and the MIME type when the part is made
}

// FileContent is a file, as base64.
type FileContent struct {
	Base64     string
	MIMEType   *string
	Filename   *string
	Extra      *value.Dict // never nil in a made part
	Validation bool        // check the base64 when the part is made
}

func (*ImageContent) part()       {}
func (*FileContent) part()        {}
func (*ImageContent) key() string { return "image" }
func (*FileContent) key() string  { return "file" }

// Kind returns value.KindObject.
func (*ImageContent) Kind() value.Kind { return value.KindObject }

// Kind returns value.KindObject.
func (*FileContent) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of ImageContent.
func (*ImageContent) Class() string { return "haystack.dataclasses.image_content.ImageContent" }

// Class returns the Python path of FileContent.
func (*FileContent) Class() string { return "haystack.dataclasses.file_content.FileContent" }

// NewImage checks an image as Haystack does when Validation is set: valid base64, an image's MIME type, guessed from the
// first bytes when it is not given.
func NewImage(img ImageContent) (*ImageContent, error) {
	img.Meta = orEmpty(img.Meta)
	if !img.Validation {
		return &img, nil
	}
	mime, err := checkMedia(img.Base64, img.MIMEType)
	if err != nil {
		return nil, err
	}
	if img.MIMEType = mime; mime != nil && *mime != "" && !IsImageMIME(*mime) {
		return nil, fault.New(fault.Invalid, "%s is not a valid image MIME type.", *mime).WithCode("ValueError")
	}
	return &img, nil
}

// NewFile checks a file as Haystack does when Validation is set: valid base64; the MIME type is guessed when not given.
func NewFile(f FileContent) (*FileContent, error) {
	f.Extra = orEmpty(f.Extra)
	if !f.Validation {
		return &f, nil
	}
	mime, err := checkMedia(f.Base64, f.MIMEType)
	if err != nil {
		return nil, err
	}
	f.MIMEType = mime
	return &f, nil
}

// checkMedia decodes only as much as it needs: the whole text is checked, the first bytes tell the type.
func checkMedia(text string, mime *string) (*string, error) {
	if !validBase64(text) {
		return nil, fault.New(fault.Invalid, "The base64 string is not valid").WithCode("ValueError")
	}
	if mime != nil && *mime != "" {
		return mime, nil
	}
	head := text[:min(len(text), 4*2731)] // a multiple of four characters; 8192 bytes
	data, _ := base64.StdEncoding.DecodeString(head)
	if guess := GuessMIME(data); guess != "" {
		return &guess, nil
	}
	return mime, nil
}

// validBase64 follows base64.b64decode(validate=True): the standard alphabet, padding at the end.
func validBase64(text string) bool {
	body := strings.TrimRight(text, "=")
	if len(text)%4 != 0 || len(text)-len(body) > 2 {
		return false
	}
	for i := range len(body) {
		if c := body[i]; !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// imageMIMEs are the types that Haystack takes for images: those of Pillow's formats, and image/jpg.
var imageMIMEs = " image/bmp image/x-pcx application/postscript image/gif image/png image/jp2 image/icns image/x-icon image/jpeg " +
	"video/mpeg image/tiff image/mpo image/palm application/pdf image/x-portable-anymap image/vnd.adobe.photoshop image/sgi " +
	"image/x-tga image/webp image/xbm image/xpm image/jpg "

// IsImageMIME reports whether Haystack takes the MIME type for an image's (haystack/dataclasses/image_content.py).
func IsImageMIME(mime string) bool {
	return mime != "" && !strings.Contains(mime, " ") && strings.Contains(imageMIMEs, " "+mime+" ")
}

// Attr returns base64_image, mime_type, detail, meta or validation.
func (img *ImageContent) Attr(name string) (value.Value, bool) { return img.fields().Get(name) }

func (img *ImageContent) fields() *value.Dict {
	return value.NewDict("base64_image", value.Str(img.Base64), "mime_type", value.OptValue(img.MIMEType),
		"detail", value.OptValue(img.Detail), "meta", orEmpty(img.Meta), "validation", value.Bool(img.Validation))
}

// ToDict returns {base64_image, mime_type, detail, meta, validation}.
func (img *ImageContent) ToDict() *value.Dict { return value.AsDicts(img.fields()).(*value.Dict) }

// Repr returns Haystack's repr, which shows at most 100 characters of the data.
func (img *ImageContent) Repr() string {
	return reprFields("ImageContent", "base64_image", value.Str(shortened(img.Base64)), "mime_type", value.OptValue(img.MIMEType),
		"detail", value.OptValue(img.Detail), "meta", orEmpty(img.Meta))
}

// Attr returns base64_data, mime_type, filename, extra or validation.
func (f *FileContent) Attr(name string) (value.Value, bool) { return f.fields().Get(name) }

func (f *FileContent) fields() *value.Dict {
	return value.NewDict("base64_data", value.Str(f.Base64), "mime_type", value.OptValue(f.MIMEType),
		"filename", value.OptValue(f.Filename), "extra", orEmpty(f.Extra), "validation", value.Bool(f.Validation))
}

// ToDict returns {base64_data, mime_type, filename, extra, validation}.
func (f *FileContent) ToDict() *value.Dict { return value.AsDicts(f.fields()).(*value.Dict) }

// Repr returns Haystack's repr, which shows at most 100 characters of the data.
func (f *FileContent) Repr() string {
	return reprFields("FileContent", "base64_data", value.Str(shortened(f.Base64)), "mime_type", value.OptValue(f.MIMEType),
		"filename", value.OptValue(f.Filename), "extra", orEmpty(f.Extra))
}

// shortened cuts after 100 characters.
func shortened(s string) string {
	if len(s) <= 100 || utf8.RuneCountInString(s) <= 100 {
		return s
	}
	return value.PySlice(s, 0, 100) + "..."
}
