package sse

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/haywardhq/hayward/fault"
)

// Limits bounds a stream in bytes. The zero value of each field is usable.
type Limits struct {
	Event int   // data of one event, and any single line; default 4 MiB
	Total int64 // the whole stream; default 256 MiB
}

// Event is one event of a stream.
type Event struct {
	Name string // "" when the stream gives none
	Data []byte // valid until the next call of Next
}

// Reader reads the events of a stream.
type Reader struct {
	in      *bufio.Reader
	limits  Limits
	read    int64
	first   bool
	afterCR bool
	line    []byte
	data    []byte
}

// NewReader returns a reader of r.
func NewReader(r io.Reader, l Limits) *Reader {
	if l.Event <= 0 {
		l.Event = 4 << 20
	}
	if l.Total <= 0 {
		l.Total = 256 << 20
	}
	return &Reader{in: bufio.NewReaderSize(r, 16<<10), limits: l, first: true}
}

// Next returns the next event that has data, or io.EOF. What a stream leaves unfinished at its end is dropped, as the
// specification says. A limit that is hit is TooLarge; other errors are the source's own.
func (r *Reader) Next() (Event, error) {
	var ev Event
	has := false
	r.data = r.data[:0]
	for {
		line, err := r.readLine()
		if err != nil {
			return Event{}, err
		}
		if len(line) == 0 {
			if has {
				ev.Data = r.data
				return ev, nil
			}
			ev = Event{}
			continue
		}
		field, value := cut(line)
		switch string(field) {
		case "data":
			if has {
				r.data = append(r.data, '\n')
			}
			has = true
			if r.data = append(r.data, value...); len(r.data) > r.limits.Event {
				return Event{}, r.tooLarge()
			}
		case "event":
			ev.Name = string(value)
		}
	}
}

func (r *Reader) tooLarge() error {
	return fault.New(fault.TooLarge, "a streamed answer is larger than %d bytes per event or %d in all", r.limits.Event, r.limits.Total)
}

// cut splits "field: value"; a comment has an empty field.
func cut(line []byte) (field, value []byte) {
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		return line, nil
	}
	return line[:i], bytes.TrimPrefix(line[i+1:], []byte(" "))
}

// readLine returns a line without its end, which is LF, CR or CRLF. An unfinished last line is dropped.
func (r *Reader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		b, err := r.in.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil, io.EOF
			}
			return nil, err
		}
		if r.read++; r.read > r.limits.Total || len(r.line) > r.limits.Event {
			return nil, r.tooLarge()
		}
		switch b {
		case '\r':
			r.afterCR = true // an LF that follows belongs to this end, and may still be on its way
			return r.ended(), nil
		case '\n':
			if r.afterCR {
				r.afterCR = false
				continue
			}
			return r.ended(), nil
		}
		r.afterCR = false
		r.line = append(r.line, b)
	}
}

// ended drops the byte order mark of the first line.
func (r *Reader) ended() []byte {
	if r.first {
		r.first = false
		r.line = bytes.TrimPrefix(r.line, []byte("\xef\xbb\xbf"))
	}
	return r.line
}
