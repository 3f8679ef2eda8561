package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"math"
)

// The records of the sealed stream. A table's record is followed by its rows; the end comes once, last.
const (
	kindTable = 't' // name, number of columns, their names and types
	kindRow   = 'r' // a value per column
	kindEnd   = 'e' // number of tables, number of rows, SHA-256 of all before
)

// The values of a row.
const (
	valueNull = 'n'
	valueInt  = 'i'
	valueText = 's'
	valueBlob = 'b'
	valueReal = 'f'
)

// Bounds of what a reader believes.
const (
	maxColumns = 1000
	maxBytes   = 1 << 30 // SQLite's own
)

// records writes the stream of records. Errors are kept until close.
type records struct {
	to     *bufio.Writer
	sum    hash.Hash
	tables int64
	rows   int64
	buf    []byte
}

func newRecords(w io.Writer) *records {
	sum := sha256.New()
	return &records{to: bufio.NewWriterSize(io.MultiWriter(w, sum), chunkSize), sum: sum}
}

func (r *records) bytes(b []byte) { r.buf = append(binary.AppendUvarint(r.buf, uint64(len(b))), b...) }
func (r *records) text(s string)  { r.buf = append(binary.AppendUvarint(r.buf, uint64(len(s))), s...) }

func (r *records) flush() error {
	_, err := r.to.Write(r.buf)
	r.buf = r.buf[:0]
	return err
}

func (r *records) table(t *shape) error {
	r.tables++
	r.buf = append(r.buf, kindTable)
	r.text(t.name)
	r.buf = binary.AppendUvarint(r.buf, uint64(len(t.columns)))
	for _, c := range t.columns {
		r.text(c.name)
		r.text(c.kind)
	}
	return r.flush()
}

func (r *records) row(values []any) error {
	r.rows++
	r.buf = append(r.buf, kindRow)
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			r.buf = append(r.buf, valueNull)
		case int64:
			r.buf = binary.AppendVarint(append(r.buf, valueInt), v)
		case float64:
			r.buf = binary.BigEndian.AppendUint64(append(r.buf, valueReal), math.Float64bits(v))
		case string:
			r.buf = append(r.buf, valueText)
			r.text(v)
		case []byte:
			r.buf = append(r.buf, valueBlob)
			r.bytes(v)
		}
	}
	return r.flush()
}

// end writes the last record and returns the sum.
func (r *records) end() (sum string, err error) {
	if err := r.to.Flush(); err != nil {
		return "", err
	}
	total := r.sum.Sum(nil)
	r.buf = binary.AppendVarint(binary.AppendVarint(append(r.buf, kindEnd), r.tables), r.rows)
	r.buf = append(r.buf, total...)
	if err := r.flush(); err != nil {
		return "", err
	}
	return hex.EncodeToString(total), r.to.Flush()
}

// reading reads the stream of records.
type reading struct {
	from   *bufio.Reader
	sum    hash.Hash
	tables int64
	rows   int64
}

// summed counts what is read towards the sum.
func (r *reading) read(p []byte) error {
	if _, err := io.ReadFull(r.from, p); err != nil {
		return broken(err)
	}
	r.sum.Write(p)
	return nil
}

// broken keeps what the stream says of itself; a stream that ends too soon was written wrong.
func broken(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // the readers return them bare
		return damaged("it ends inside a row")
	}
	return err
}

// ReadByte makes reading a source of varints.
func (r *reading) ReadByte() (byte, error) {
	var b [1]byte
	err := r.read(b[:])
	return b[0], err
}

func (r *reading) length(limit uint64) (int, error) {
	n, err := binary.ReadUvarint(r)
	if err == nil && n > limit {
		err = damaged("a length is too large")
	}
	return int(n), numberErr(err)
}

func (r *reading) int() (int64, error) {
	n, err := binary.ReadVarint(r)
	return n, numberErr(err)
}

// numberErr is for a number of more than 64 bits, which encoding/binary has an error of its own for.
func numberErr(err error) error {
	if err != nil && err.Error() == "binary: varint overflows a 64-bit integer" {
		return damaged("a number is too large")
	}
	return err
}

// bytes reads a field without believing its length before the bytes are there.
func (r *reading) bytes() ([]byte, error) {
	n, err := r.length(maxBytes)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, min(n, chunkSize))
	for len(out) < n {
		k := min(n-len(out), chunkSize)
		out = append(out, make([]byte, k)...)
		if err := r.read(out[len(out)-k:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *reading) text() (string, error) {
	b, err := r.bytes()
	return string(b), err
}

func (r *reading) table() (t shape, err error) {
	if t.name, err = r.text(); err != nil {
		return t, err
	}
	n, err := r.length(maxColumns)
	if err != nil {
		return t, err
	}
	for range n {
		var c column
		if c.name, err = r.text(); err != nil {
			return t, err
		}
		if c.kind, err = r.text(); err != nil {
			return t, err
		}
		t.columns = append(t.columns, c)
	}
	r.tables++
	return t, nil
}

func (r *reading) row(columns int) (out []any, err error) {
	out = make([]any, columns)
	for i := range out {
		if out[i], err = r.value(); err != nil {
			return nil, err
		}
	}
	r.rows++
	return out, nil
}

func (r *reading) value() (any, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	switch kind {
	case valueNull:
		return nil, nil
	case valueInt:
		return r.int()
	case valueReal:
		var b [8]byte
		err := r.read(b[:])
		return math.Float64frombits(binary.BigEndian.Uint64(b[:])), err
	case valueText:
		return r.text()
	case valueBlob:
		return r.bytes()
	}
	return nil, damaged("a value is of no known kind")
}

// end compares the last record with what was read, after which there must be nothing.
func (r *reading) end(sum []byte) error {
	tables, err := r.int()
	if err != nil {
		return err
	}
	rows, err := r.int()
	if err != nil {
		return err
	}
	var want [sha256.Size]byte
	if err := r.read(want[:]); err != nil {
		return err
	}
	if tables != r.tables || rows != r.rows || string(want[:]) != string(sum) {
		return damaged("its end does not fit the rows before it")
	}
	if _, err := r.from.ReadByte(); err != io.EOF { //nolint:errorlint // returned bare
		if err == nil {
			err = damaged("something follows its end")
		}
		return err
	}
	return nil
}

// sink is what is done with what a backup holds; either may be nil.
type sink struct {
	table func(t shape) error
	row   func(values []any) error
}

// walk reads all records of a stream and fills in the summary.
func walk(from io.Reader, s *Summary, to sink) error {
	r := &reading{from: bufio.NewReaderSize(from, chunkSize), sum: sha256.New()}
	var at shape
	for {
		var sum []byte
		if next, err := r.from.Peek(1); err == nil && next[0] == kindEnd {
			sum = r.sum.Sum(nil) // of all before the end
		}
		kind, err := r.ReadByte()
		if err != nil {
			return err
		}
		switch {
		case kind == kindTable:
			if at, err = r.table(); err != nil {
				return err
			}
			s.Tables = append(s.Tables, Table{Name: at.name})
			if to.table != nil {
				err = to.table(at)
			}
		case kind == kindRow && r.tables > 0:
			values, rowErr := r.row(len(at.columns))
			if rowErr != nil {
				return rowErr
			}
			s.Tables[len(s.Tables)-1].Rows++
			if to.row != nil {
				err = to.row(values)
			}
		case kind == kindEnd:
			s.Rows, s.SHA256 = r.rows, hex.EncodeToString(sum)
			return r.end(sum)
		default:
			err = damaged("a record is of no known kind")
		}
		if err != nil {
			return err
		}
	}
}
