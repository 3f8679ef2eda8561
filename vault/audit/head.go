package audit

import (
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Head is the end of a chain as the head file knows it.
type Head struct {
	driver.Chain
	Seq       int64
	Hash, MAC []byte
}

func newHead(m mac, c driver.Chain, seq int64, hash []byte) Head {
	h := Head{Chain: c, Seq: seq, Hash: hash}
	h.MAC = m.of(h.canonical())
	return h
}

func (h Head) canonical() []byte {
	b := canon.Int(chainBytes(canon.Text(nil, headFormat), h.Chain), h.Seq)
	return canon.Text(b, h.Hash)
}

func (h Head) authentic(m mac) bool { return hmac.Equal(h.MAC, m.of(h.canonical())) }

// What a line says of its rows, and where it does.
const (
	lineSynced    = '1' // the database has them for good; the line has none
	lineCommitted = '2' // the database has them until the machine stops
	lineAloft     = '3' // the database may not have them yet

	lineKindAt = len(`["v`)
)

// appendLine writes ["v1", app, tenant, node, epoch, seq, hash, mac] and a newline; with rows it is
// ["v2", app, tenant, node, epoch, seq, hash, mac, [row, ...]], of which the last row is the head's, or "v3" in place of "v2" as
// long as the database may not have them. A line without rows says that the database has them for good.
func (h Head) appendLine(dst []byte, rows redo) []byte {
	kind := byte(lineSynced)
	switch {
	case rows.aloft:
		kind = lineAloft
	case rows.rows > 0:
		kind = lineCommitted
	}
	dst = append(append(append(dst, `["v`...), kind), '"')
	for _, s := range [...]string{h.App, h.Tenant, h.Node} {
		dst = appendJSON(append(dst, ','), s)
	}
	dst = strconv.AppendInt(append(dst, ','), h.Epoch, 10)
	dst = strconv.AppendInt(append(dst, ','), h.Seq, 10)
	dst = append(hex.AppendEncode(append(dst, `,"`...), h.Hash), '"')
	dst = append(hex.AppendEncode(append(dst, `,"`...), h.MAC), '"')
	if rows.rows > 0 {
		dst = append(append(append(dst, ",["...), rows.text...), ']')
	}
	return append(dst, "]\n"...)
}

// appendJSON writes a string as encoding/json does.
func appendJSON(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			b, err := json.Marshal(s)
			if err != nil {
				panic("audit: a string does not encode: " + err.Error())
			}
			return append(dst, b...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// parseHead reads a line, and only in the form appendLine writes. What the rows say is for [redone]. Aloft is whether the database
// may not have them.
func parseHead(line []byte) (h Head, rows []string, aloft bool, err error) {
	var raw []json.RawMessage
	bad := fault.New(fault.Invalid, "a line of the audit head file is damaged")
	if err := json.Unmarshal(line, &raw); err != nil || len(raw) < 8 || len(raw) > 9 {
		return Head{}, nil, false, bad
	}
	var version, hash, mac string
	for i, dest := range []any{&version, &h.App, &h.Tenant, &h.Node, &h.Epoch, &h.Seq, &hash, &mac} {
		if err := json.Unmarshal(raw[i], dest); err != nil {
			return Head{}, nil, false, bad
		}
	}
	var text redo
	if len(raw) == 9 {
		if text, rows, err = parseRedo(raw[8]); err != nil || len(rows) == 0 || int64(len(rows)) > h.Seq {
			return Head{}, nil, false, bad
		}
		text.aloft = len(line) > lineKindAt && line[lineKindAt] == lineAloft
	}
	var err1, err2 error
	h.Hash, err1 = hex.DecodeString(hash)
	h.MAC, err2 = hex.DecodeString(mac)
	if errors.Join(err1, err2) != nil || h.Seq < 1 || !bytes.Equal(h.appendLine(nil, text), append(bytes.Clone(line), '\n')) {
		return Head{}, nil, false, bad
	}
	return h, rows, text.aloft, nil
}

// HeadSet is what a head file said when it was read.
type HeadSet struct {
	Path    string
	Missing bool // there is no such file
	// Node says whose chains the file is about: of several processes on one store each has a file of its own. Empty: all.
	Node  string
	heads map[driver.Chain]Head
	redo  map[driver.Chain][]string // the newest rows of a chain, up to its head, that the database may not have yet
	aloft map[driver.Chain]int      // how many of them it may lack although it lost nothing: those of the last line
	size  int64
	lines int
}

// ReadHeads reads a head file without changing it. A missing file is not an error here: see [HeadSet.Missing]. A damaged
// line before the last, or a chain that goes back, is one.
func ReadHeads(path string) (HeadSet, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		set := newHeadSet()
		set.Path, set.Missing = path, true
		return set, nil
	}
	if err != nil {
		return HeadSet{}, fault.Wrap(fault.Unavailable, err, "cannot read the audit head file %s", path)
	}
	set, err := parseHeads(b)
	if err != nil {
		return HeadSet{}, fault.Wrap(fault.Unavailable, err, "the audit head file %s was changed", path).WithCode("AuditBroken").
			WithHint("put the file back from a copy; it is part of the proof that no entry is missing")
	}
	set.Path = path
	return set, nil
}

func newHeadSet() HeadSet {
	return HeadSet{heads: map[driver.Chain]Head{}, redo: map[driver.Chain][]string{}, aloft: map[driver.Chain]int{}}
}

func parseHeads(b []byte) (HeadSet, error) {
	set := newHeadSet()
	for {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		if !whole {
			return set, nil // a torn last line: the crash came before the answer
		}
		h, rows, aloft, err := parseHead(line)
		if err != nil {
			return HeadSet{}, fault.Wrap(fault.Invalid, err, "line %d", set.lines+1)
		}
		if have, ok := set.heads[h.Chain]; ok && h.Seq < have.Seq {
			return HeadSet{}, fault.New(fault.Invalid, "line %d goes back from entry %d to %d", set.lines+1, have.Seq, h.Seq)
		}
		set.take(h, rows)
		delete(set.aloft, h.Chain)
		if aloft {
			set.aloft[h.Chain] = len(rows)
		}
		set.lines++
		set.size += int64(len(line)) + 1
		b = rest
	}
}

// take notes a line.
func (s *HeadSet) take(h Head, rows []string) {
	before := s.heads[h.Chain]
	s.heads[h.Chain] = h
	if len(rows) == 0 {
		delete(s.redo, h.Chain)
		return
	}
	switch first := h.Seq - int64(len(rows)) + 1; {
	case first > before.Seq+1:
		s.redo[h.Chain] = rows
	default:
		s.redo[h.Chain] = append(s.redo[h.Chain], rows[before.Seq+1-first:]...)
	}
}
