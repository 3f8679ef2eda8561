package document

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"github.com/haywardhq/hayward/pipeline/value"
)

// hasher feeds text to sha256 through one buffer, so that a large document needs no copy of itself.
type hasher struct {
	h   hash.Hash
	buf []byte
}

const hashChunk = 4096

func newHasher() *hasher { return &hasher{h: sha256.New(), buf: make([]byte, 0, hashChunk+512)} }

func (w *hasher) flush() {
	if len(w.buf) >= hashChunk {
		w.h.Write(w.buf)
		w.buf = w.buf[:0]
	}
}

func (w *hasher) str(s string) {
	for len(s) > 0 {
		n := min(len(s), hashChunk)
		w.buf = append(w.buf, s[:n]...)
		w.flush()
		s = s[n:]
	}
}

// bytesRepr feeds Python's repr of bytes.
func (w *hasher) bytesRepr(data []byte) {
	quote := value.BytesQuote(data)
	w.buf = append(w.buf, 'b', quote)
	for len(data) > 0 {
		n := min(len(data), hashChunk)
		w.buf = value.AppendBytesBody(w.buf, data[:n], quote)
		w.flush()
		data = data[n:]
	}
	w.buf = append(w.buf, quote)
}

func (w *hasher) sum() string {
	w.h.Write(w.buf)
	var out [sha256.Size]byte
	return hex.EncodeToString(w.h.Sum(out[:0]))
}

// floatsRepr returns what feeds the repr of an embedding; nil is None.
func floatsRepr(f []float64) func(*hasher) {
	return func(w *hasher) {
		if f == nil {
			w.buf = append(w.buf, "None"...)
			return
		}
		w.buf = append(w.buf, '[')
		for i, x := range f {
			if i > 0 {
				w.buf = append(w.buf, ", "...)
			}
			w.buf = value.AppendFloat(w.buf, x)
			w.flush()
		}
		w.buf = append(w.buf, ']')
	}
}

// valueRepr feeds the repr of an embedding as it was given: [1, 2] is not [1.0, 2.0].
func valueRepr(v value.Value) func(*hasher) {
	return func(w *hasher) {
		w.buf = value.AppendRepr(w.buf, v)
		w.flush()
	}
}

// computeID is Document._create_id (haystack/dataclasses/document.py): the text, the literal None of a field of old, the
// blob, its MIME type, meta, embedding and sparse embedding, one after another.
func (d *Document) computeID(embedding func(*hasher)) (string, error) {
	w := newHasher()
	if d.Content == nil || *d.Content == "" {
		w.str("None")
	} else {
		w.str(*d.Content)
	}
	w.str("None")
	w.blob(d.Blob)
	if d.Meta.Len() == 0 {
		w.str("{}")
	} else {
		meta, err := value.ToJSON(d.Meta, value.JSONOptions{SortKeys: true, Default: value.DefaultStr})
		if err != nil {
			return "", err
		}
		w.str(meta)
	}
	embedding(w)
	if d.Sparse != nil {
		w.buf = value.AppendRepr(w.buf, d.Sparse.ToDict())
		w.flush()
	}
	return w.sum(), nil
}

func (w *hasher) blob(b *ByteStream) {
	switch {
	case b == nil:
		w.str("NoneNone")
	case b.MIMEType == nil:
		w.bytesRepr(b.Data)
		w.str("None")
	default:
		w.bytesRepr(b.Data)
		w.str(*b.MIMEType)
	}
}
