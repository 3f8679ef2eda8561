package canon

import (
	"encoding/binary"
	"errors"
)

// ErrShort is returned when the bytes end before the field does.
var ErrShort = errors.New("the bytes end inside a field")

// Text appends a field: its length as four big-endian bytes, then its bytes.
func Text[T string | []byte](dst []byte, s T) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	return append(dst, s...)
}

// Int appends a number as eight big-endian bytes.
func Int(dst []byte, n int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(n)) }

// Reader takes fields off a byte slice. After the first error every read returns a zero value.
type Reader struct {
	rest []byte
	err  error
}

// NewReader returns a reader of b.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// Bytes reads a field.
func (r *Reader) Bytes() []byte {
	head := r.take(4)
	if head == nil {
		return nil
	}
	return r.take(int(binary.BigEndian.Uint32(head)))
}

// Text reads a field as a string.
func (r *Reader) Text() string { return string(r.Bytes()) }

// Int reads a number.
func (r *Reader) Int() int64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// Done returns the first error, or one if bytes are left over.
func (r *Reader) Done() error {
	if r.err == nil && len(r.rest) > 0 {
		r.err = errors.New("there are bytes after the last field")
	}
	return r.err
}

func (r *Reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.rest) {
		if r.err == nil {
			r.err = ErrShort
		}
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}
