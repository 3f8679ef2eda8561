package document

import (
	"github.com/haywardhq/hayward/pipeline/value"
)

// ByteStream is haystack.dataclasses.byte_stream.ByteStream. It is read-only once made.
type ByteStream struct {
	Data     []byte
	Meta     *value.Dict // nil is {}
	MIMEType *string     // nil is None
}

// Bytes returns a stream of data; an empty mime is None, a nil meta is {}.
func Bytes(data []byte, mime string, meta *value.Dict) *ByteStream {
	b := &ByteStream{Data: data, Meta: meta}
	if b.Meta == nil {
		b.Meta = &value.Dict{}
	}
	if mime != "" {
		b.MIMEType = &mime
	}
	return b
}

// FromString returns a stream of UTF-8 text.
func FromString(text, mime string, meta *value.Dict) *ByteStream {
	return Bytes([]byte(text), mime, meta)
}

// Kind returns value.KindObject.
func (*ByteStream) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of ByteStream.
func (*ByteStream) Class() string { return "haystack.dataclasses.byte_stream.ByteStream" }

func (b *ByteStream) meta() *value.Dict {
	if b.Meta == nil {
		return &value.Dict{}
	}
	return b.Meta
}

// Attr returns data (as bytes), meta or mime_type.
func (b *ByteStream) Attr(name string) (value.Value, bool) {
	switch name {
	case "data":
		return value.Bytes(b.Data), true
	case "meta":
		return b.meta(), true
	case "mime_type":
		return value.OptValue(b.MIMEType), true
	}
	return nil, false
}

// ToDict returns {data, meta, mime_type} with the data as a list of numbers, because JSON has no bytes.
func (b *ByteStream) ToDict() *value.Dict {
	data := &value.List{Items: make([]value.Value, len(b.Data))}
	for i, c := range b.Data {
		data.Items[i] = byteValues[c]
	}
	return value.NewDict("data", data, "meta", b.meta(), "mime_type", value.OptValue(b.MIMEType))
}

// byteValues saves an allocation for each byte of a stream.
var byteValues = func() (out [256]value.Value) {
	for i := range out {
		out[i] = value.Int(i)
	}
	return out
}()

// WithMeta returns a copy with another meta; nil gives an empty one. The data is shared.
func (b *ByteStream) WithMeta(meta *value.Dict) *ByteStream {
	c := *b
	if c.Meta = meta; meta == nil {
		c.Meta = &value.Dict{}
	}
	return &c
}

// Repr returns Haystack's repr, which shows at most 100 bytes.
func (b *ByteStream) Repr() string {
	data := b.Data
	if len(data) > 100 {
		data = append(data[:100:100], "..."...)
	}
	out := value.AppendBytesRepr([]byte("ByteStream(data="), data)
	out = value.AppendRepr(append(out, ", meta="...), b.meta())
	out = value.AppendRepr(append(out, ", mime_type="...), value.OptValue(b.MIMEType))
	return string(append(out, ')'))
}

// AppendJSON appends the dict as compact JSON.
func (b *ByteStream) AppendJSON(dst []byte) []byte {
	dst = value.AppendByteList(append(dst, `{"data":`...), b.Data)
	dst = value.AppendJSON(append(dst, `,"meta":`...), b.meta())
	dst = value.AppendJSON(append(dst, `,"mime_type":`...), value.OptValue(b.MIMEType))
	return append(dst, '}')
}

// BytesFromDict reads {data, meta, mime_type}; data is a list of numbers from 0 to 255, or bytes.
func BytesFromDict(d *value.Dict) (*ByteStream, error) {
	f := value.ReadFields("ByteStream", d, "data", "meta", "mime_type")
	b := &ByteStream{Meta: f.Dict("meta"), MIMEType: f.OptStr("mime_type")}
	switch v := f.Get("data").(type) {
	case value.Bytes:
		b.Data = []byte(v)
	case *value.List:
		b.Data = readBytes(f, v.Items)
	default:
		f.Fail("TypeError", "field 'data' of ByteStream must be a list of numbers from 0 to 255, but is %s", value.TypeName(v))
	}
	return b, f.Err()
}

func readBytes(f *value.Fields, items []value.Value) []byte {
	out := make([]byte, len(items))
	for i, it := range items {
		n, ok := it.(value.Int)
		if !ok || n < 0 || n > 255 {
			f.Fail("ValueError", "item %d of field 'data' of ByteStream is not a number from 0 to 255", i)
			return nil
		}
		out[i] = byte(n)
	}
	return out
}

// SparseEmbedding is haystack.dataclasses.sparse_embedding.SparseEmbedding.
type SparseEmbedding struct {
	Indices []int
	Values  []float64
}

// NewSparse returns a sparse embedding; the two lists must be of one length.
func NewSparse(indices []int, values []float64) (*SparseEmbedding, error) {
	if len(indices) != len(values) {
		return nil, invalid("ValueError", "Length of indices and values must be the same.")
	}
	return &SparseEmbedding{Indices: indices, Values: values}, nil
}

// Kind returns value.KindObject.
func (*SparseEmbedding) Kind() value.Kind { return value.KindObject }

// Class returns the Python path of SparseEmbedding.
func (*SparseEmbedding) Class() string {
	return "haystack.dataclasses.sparse_embedding.SparseEmbedding"
}

// Attr returns indices or values.
func (s *SparseEmbedding) Attr(name string) (value.Value, bool) { return s.ToDict().Get(name) }

// ToDict returns {indices, values}.
func (s *SparseEmbedding) ToDict() *value.Dict {
	indices := &value.List{Items: make([]value.Value, len(s.Indices))}
	for i, n := range s.Indices {
		indices.Items[i] = value.Int(n)
	}
	return value.NewDict("indices", indices, "values", Floats(s.Values))
}

// Repr returns the dataclass repr.
func (s *SparseEmbedding) Repr() string {
	d := s.ToDict()
	indices, _ := d.Get("indices")
	values, _ := d.Get("values")
	return "SparseEmbedding(indices=" + value.Repr(indices) + ", values=" + value.Repr(values) + ")"
}

// SparseFromDict reads {indices, values}.
func SparseFromDict(d *value.Dict) (*SparseEmbedding, error) {
	f := value.ReadFields("SparseEmbedding", d, "indices", "values")
	if f.Get("indices") == nil || f.Get("values") == nil {
		f.Fail("KeyError", "SparseEmbedding lacks one of its fields 'indices' and 'values'")
	}
	indices, values := readInts(f, f.List("indices")), readFloats(f, "values", f.List("values"))
	if err := f.Err(); err != nil {
		return nil, err
	}
	return NewSparse(indices, values)
}

func readInts(f *value.Fields, items []value.Value) []int {
	out := make([]int, len(items))
	for i, it := range items {
		n, ok := it.(value.Int)
		if !ok {
			f.Fail("TypeError", "item %d of field 'indices' of SparseEmbedding is not a whole number", i)
			return nil
		}
		out[i] = int(n)
	}
	return out
}

func readFloats(f *value.Fields, name string, items []value.Value) []float64 {
	out := make([]float64, len(items))
	for i, it := range items {
		x, ok := value.AsFloat(it)
		if !ok {
			f.Fail("TypeError", "item %d of field '%s' is not a number", i, name)
			return nil
		}
		out[i] = x
	}
	return out
}
