package backup

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
)

// chunkSize is how many bytes of rows are sealed together.
const chunkSize = 64 << 10

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// nonce is a chunk's number and whether it is the last. A key is used for one file, so that no nonce comes twice.
func nonce(number uint64, last bool) []byte {
	var b [12]byte
	binary.BigEndian.PutUint64(b[3:], number)
	if last {
		b[11] = 1
	}
	return b[:]
}

// sealer writes chunks. What it is given is whole once Close has returned.
type sealer struct {
	to     io.Writer
	aead   cipher.AEAD
	bound  []byte
	buf    []byte
	out    []byte
	number uint64
}

func newSealer(to io.Writer, aead cipher.AEAD, bound []byte) *sealer {
	return &sealer{to: to, aead: aead, bound: bound, buf: make([]byte, 0, chunkSize)}
}

func (s *sealer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if len(s.buf) == chunkSize { // not before there is more: the last chunk is never empty behind another
			if err := s.flush(false); err != nil {
				return n, err
			}
		}
		k := min(len(p), chunkSize-len(s.buf))
		s.buf = append(s.buf, p[:k]...)
		n, p = n+k, p[k:]
	}
	return n, nil
}

func (s *sealer) flush(last bool) error {
	s.out = s.aead.Seal(s.out[:0], nonce(s.number, last), s.buf, s.bound)
	s.buf = s.buf[:0]
	s.number++
	_, err := s.to.Write(s.out)
	return err
}

func (s *sealer) Close() error { return s.flush(true) }

// opener reads chunks. It gives out nothing that was not authenticated, and io.EOF only at the true end.
type opener struct {
	from   io.Reader
	aead   cipher.AEAD
	bound  []byte
	in     []byte
	rest   []byte
	number uint64
	held   int // bytes of the next chunk in in, read to see whether there is one
	last   bool
}

func newOpener(from io.Reader, aead cipher.AEAD, bound []byte) *opener {
	return &opener{from: from, aead: aead, bound: bound, in: make([]byte, chunkSize+aead.Overhead()+1)}
}

func (o *opener) Read(p []byte) (int, error) {
	for len(o.rest) == 0 {
		if o.last {
			return 0, io.EOF
		}
		if err := o.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// next opens a chunk. One byte more than a chunk is read: if it is there, this is not the last.
func (o *opener) next() error {
	n, err := io.ReadFull(o.from, o.in[o.held:])
	size := o.held + n
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		o.last = true
	case err != nil:
		return fault.Wrap(fault.Unavailable, err, "the backup cannot be read")
	default:
		size--
	}
	rest, err := o.aead.Open(o.rest[:0:0], nonce(o.number, o.last), o.in[:size], o.bound)
	if err != nil || (o.last && len(rest) == 0 && o.number > 0) {
		return damaged("part %d is not what was written, or the end is missing", o.number+1)
	}
	o.rest, o.number, o.held = rest, o.number+1, 0
	if !o.last {
		o.in[0], o.held = o.in[size], 1
	}
	return nil
}

func damaged(format string, args ...any) error {
	return fault.Wrap(fault.Invalid, base.ErrTampered, "the backup is damaged: "+format, args...).WithCode("BackupDamaged").
		WithHint("use another copy of the file; nothing was changed")
}
