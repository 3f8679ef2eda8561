package document

import (
	"slices"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// Document is haystack.dataclasses.document.Document. It is read-only once made: share it, and make changed copies.
type Document struct {
	ID        string           // sha256 of the contents unless given
	Content   *string          // nil is None
	Blob      *ByteStream      // nil is None
	Meta      *value.Dict      // never nil in a made document
	Score     *float64         // nil is None; not part of the id
	Embedding []float64        // nil is None
	Sparse    *SparseEmbedding // nil is None
}

// New returns a document made of the given fields; without an ID it gets the one Haystack computes. Meta that Python
// could not write as JSON with sorted keys is an error.
func New(d Document) (*Document, error) {
	if d.Meta == nil {
		d.Meta = &value.Dict{}
	}
	if d.ID == "" {
		id, err := d.computeID(floatsRepr(d.Embedding))
		if err != nil {
			return nil, err
		}
		d.ID = id
	}
	return &d, nil
}

// Text returns a document of a text alone.
func Text(content string) *Document {
	d := &Document{Content: &content, Meta: &value.Dict{}}
	d.ID, _ = d.computeID(floatsRepr(nil)) // without meta nothing can fail
	return d
}

// Kind returns value.KindObject.
func (*Document) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of Document.
func (*Document) Class() string { return "haystack.dataclasses.document.Document" }

// ContentOr returns the content, or other when it is None.
func (d *Document) ContentOr(other string) string {
	if d.Content == nil {
		return other
	}
	return *d.Content
}

// Attr returns a field; content_type is "text" when there is content.
func (d *Document) Attr(name string) (value.Value, bool) {
	switch name {
	case "id":
		return value.Str(d.ID), true
	case "content":
		return value.OptValue(d.Content), true
	case "blob":
		if d.Blob == nil {
			return value.None, true
		}
		return d.Blob, true
	case "meta":
		return d.meta(), true
	case "score":
		return value.OptFloatValue(d.Score), true
	case "embedding":
		return d.embedding(), true
	case "sparse_embedding":
		if d.Sparse == nil {
			return value.None, true
		}
		return d.Sparse, true
	case "content_type":
		return value.Str("text"), d.Content != nil
	}
	return nil, false
}

func (d *Document) meta() *value.Dict {
	if d.Meta == nil {
		return &value.Dict{}
	}
	return d.Meta
}

func (d *Document) embedding() value.Value {
	if d.Embedding == nil {
		return value.None
	}
	return Floats(d.Embedding)
}

// Floats returns a list of floats.
func Floats(f []float64) *value.List {
	out := &value.List{Items: make([]value.Value, len(f))}
	for i, x := range f {
		out.Items[i] = value.Float(x)
	}
	return out
}

// fieldNames are the names that meta keys must not take when meta is spread; the last three are fields of Haystack 1.
var fieldNames = [...]string{"id", "content", "blob", "meta", "score", "embedding", "sparse_embedding",
	"content_type", "id_hash_keys", "dataframe"}

func isField(name string) bool { return slices.Contains(fieldNames[:], name) }

// PlainDict returns to_dict(flatten=False): meta under its own key.
func (d *Document) PlainDict() *value.Dict {
	return value.NewDict("id", value.Str(d.ID), "content", value.OptValue(d.Content), "blob", d.blobDict(),
		"meta", value.AsDicts(d.meta()), "score", value.OptFloatValue(d.Score), "embedding", d.embedding(),
		"sparse_embedding", d.sparseDict())
}

func (d *Document) blobDict() value.Value {
	if d.Blob == nil {
		return value.None
	}
	return d.Blob.ToDict()
}

func (d *Document) sparseDict() value.Value {
	if d.Sparse == nil {
		return value.None
	}
	return d.Sparse.ToDict()
}

// ToDict returns to_dict(), which spreads meta over the top level; keys that a field has taken stay under meta. See
// [Document.PlainDict] for the form that keeps meta apart.
func (d *Document) ToDict() *value.Dict {
	out, taken := &value.Dict{}, &value.Dict{}
	for k, v := range value.AsDicts(d.meta()).(*value.Dict).All() {
		if s, ok := k.(value.Str); ok && isField(string(s)) {
			taken.SetKey(k, v)
		} else {
			out.SetKey(k, v)
		}
	}
	for name, v := range d.PlainDict().Strings() {
		if name != "meta" {
			out.Set(name, v)
		}
	}
	if taken.Len() > 0 {
		out.Set("meta", taken)
	}
	return out
}

// Repr returns Haystack's repr: at most 100 characters of content, sizes in place of data.
func (d *Document) Repr() string {
	out := append([]byte("Document(id="), d.ID...)
	out = append(out, ", "...)
	start := len(out)
	field := func(name string) {
		if len(out) > start {
			out = append(out, ", "...)
		}
		out = append(out, name...)
	}
	if d.Content != nil {
		field("content: '")
		out = append(append(out, shortened(*d.Content)...), '\'')
	}
	if d.Blob != nil {
		field("blob: ")
		out = append(value.AppendRepr(out, value.Int(len(d.Blob.Data))), " bytes"...)
	}
	if d.Meta.Len() > 0 {
		field("meta: ")
		out = value.AppendRepr(out, d.Meta)
	}
	if d.Score != nil {
		field("score: ")
		out = value.AppendFloat(out, *d.Score)
	}
	if d.Embedding != nil {
		field("embedding: vector of size ")
		out = value.AppendRepr(out, value.Int(len(d.Embedding)))
	}
	if d.Sparse != nil {
		field("sparse_embedding: vector with ")
		out = append(value.AppendRepr(out, value.Int(len(d.Sparse.Indices))), " non-zero elements"...)
	}
	return string(append(out, ')'))
}

func shortened(s string) string {
	if len(s) < 100 || utf8.RuneCountInString(s) < 100 {
		return s
	}
	return value.PySlice(s, 0, 100) + "..."
}

// AppendJSON appends the plain dict as compact JSON.
func (d *Document) AppendJSON(dst []byte) []byte {
	dst = value.AppendJSONString(append(dst, `{"id":`...), d.ID, false)
	dst = value.AppendJSON(append(dst, `,"content":`...), value.OptValue(d.Content))
	dst = append(dst, `,"blob":`...)
	if d.Blob == nil {
		dst = append(dst, "null"...)
	} else {
		dst = d.Blob.AppendJSON(dst)
	}
	dst = value.AppendJSON(append(dst, `,"meta":`...), d.meta())
	dst = value.AppendJSON(append(dst, `,"score":`...), value.OptFloatValue(d.Score))
	dst = append(dst, `,"embedding":`...)
	if d.Embedding == nil {
		dst = append(dst, "null"...)
	} else {
		dst = appendFloats(dst, d.Embedding)
	}
	dst = value.AppendJSON(append(dst, `,"sparse_embedding":`...), d.sparseDict())
	return append(dst, '}')
}

func appendFloats(dst []byte, f []float64) []byte {
	dst = append(dst, '[')
	for i, x := range f {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = value.AppendJSON(dst, value.Float(x))
	}
	return append(dst, ']')
}

func invalid(class, format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithCode(class)
}
