package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/haywardhq/hayward/fault"
)

const (
	magic     = "hayward-backup/1\n"
	purpose   = "backup/1" // of the keyring's wrapping
	maxHeader = 64 << 10
)

// Header is what a backup says of itself in clear. It is authenticated with the rest.
type Header struct {
	CreatedAt  time.Time `json:"created_at"`
	Schemas    []Schema  `json:"schemas"`
	AuditEpoch int64     `json:"audit_epoch"` // the last epoch of the audit record in it; 0: there are no entries
	Key        []byte    `json:"key"`         // the file's key, wrapped by the keyring
}

// Schema says how far one room's tables were migrated.
type Schema struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
}

// Summary is what a backup holds.
type Summary struct {
	CreatedAt  time.Time `json:"created_at"`
	Schemas    []Schema  `json:"schemas"`
	AuditEpoch int64     `json:"audit_epoch"`
	Tables     []Table   `json:"tables"`
	Rows       int64     `json:"rows"`
	SHA256     string    `json:"sha256"` // of the rows, in hex
}

// Table is how many rows of a table there are.
type Table struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
}

func summaryOf(h *Header) Summary {
	return Summary{CreatedAt: h.CreatedAt, Schemas: h.Schemas, AuditEpoch: h.AuditEpoch, Tables: []Table{}}
}

// writeHeader writes the lines in clear and returns what every chunk is bound to.
func writeHeader(w io.Writer, h Header) (bound []byte, err error) {
	line, err := json.Marshal(h)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "the backup's header does not encode")
	}
	text := append([]byte(magic), append(line, '\n')...)
	if _, err := w.Write(text); err != nil {
		return nil, unwritable(err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}

func unwritable(err error) error {
	return fault.Wrap(fault.Unavailable, err, "the backup cannot be written")
}

// readHeader reads the lines in clear. What follows them is left in r.
func readHeader(r *bufio.Reader) (h Header, bound []byte, err error) {
	first := make([]byte, len(magic))
	if _, err := io.ReadFull(r, first); err != nil || string(first) != magic {
		return h, nil, fault.New(fault.Invalid, "this is not a backup of Hayward, or one of another format").
			WithHint("a backup begins with the line %q", magic[:len(magic)-1])
	}
	line, err := readLine(r)
	if err != nil {
		return h, nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if dec.Decode(&h) != nil || dec.More() {
		return h, nil, damaged("its second line does not read")
	}
	sum := sha256.Sum256(append(first, append(line, '\n')...))
	return h, sum[:], nil
}

func readLine(r *bufio.Reader) (line []byte, err error) {
	for len(line) < maxHeader {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			return line[:len(line)-1], nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
	}
	return nil, damaged("its second line does not end")
}
