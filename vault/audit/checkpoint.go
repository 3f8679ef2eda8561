package audit

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit/internal/merkle"
	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Checkpoint says, signed, what every chain of one node was at a moment.
//
// It is text in the form of a C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint), a signed note of five lines:
//
//	hayward/audit/<node>/<epoch>       which log: the node's name is escaped as in a URL
//	<number>                           how many checkpoints the log has, this one included
//	<root>                             of the RFC 6962 tree over them, in base64
//	chains <n> <root>                  of the RFC 6962 tree over the states of the n chains, ordered by app, tenant and node
//	time <moment>
//
// The state of a chain is its size and the root of the RFC 6962 tree over the hashes of its entries.
type Checkpoint struct {
	Node     string
	Epoch    int64
	Number   int64
	Root     merkle.Hash
	Chains   int64
	Snapshot merkle.Hash
	At       time.Time
	Text     string // all of it, with its signatures
}

const (
	originPrefix  = "hayward/audit/"
	chainLeaf     = "hayward/audit/chain/1"
	checkLeaf     = "hayward/audit/checkpoint/1"
	timeLayout    = "2006-01-02T15:04:05.000000Z"
	maxCheckpoint = 16 << 10
)

// Origin names the log, as the first line of the checkpoint does.
func (c Checkpoint) Origin() string { return origin(c.Node, c.Epoch) }

func origin(node string, epoch int64) string {
	return originPrefix + strings.ReplaceAll(url.PathEscape(node), "+", "%2B") + "/" + strconv.FormatInt(epoch, 10)
}

// body is the signed part of the text.
func (c Checkpoint) body() string {
	b64 := base64.StdEncoding.EncodeToString
	return c.Origin() + "\n" + strconv.FormatInt(c.Number, 10) + "\n" + b64(c.Root[:]) + "\n" +
		"chains " + strconv.FormatInt(c.Chains, 10) + " " + b64(c.Snapshot[:]) + "\n" +
		"time " + c.At.UTC().Format(timeLayout) + "\n"
}

// leaf is the checkpoint in the tree of its log; the root is what comes of it, and is no part of it.
func (c Checkpoint) leaf() merkle.Hash {
	b := canon.Text(canon.Text(nil, checkLeaf), c.Node)
	for _, n := range [...]int64{c.Epoch, c.Number, c.At.UnixMicro(), c.Chains} {
		b = canon.Int(b, n)
	}
	return merkle.Leaf(canon.Text(b, c.Snapshot[:]))
}

// stateLeaf is the state of a chain in the tree of all chains.
func stateLeaf(c driver.Chain, size int64, root merkle.Hash) merkle.Hash {
	b := canon.Int(chainBytes(canon.Text(nil, chainLeaf), c), size)
	return merkle.Leaf(canon.Text(b, root[:]))
}

// signed adds the signature.
func (c Checkpoint) signed(s signer) (Checkpoint, error) {
	text, err := note.Sign(&note.Note{Text: c.body()}, s)
	if err != nil {
		return c, fault.Wrap(fault.Unavailable, err, "a checkpoint of the audit record could not be signed")
	}
	c.Text = string(text)
	return c, nil
}

// ParseCheckpoint reads a checkpoint without asking who signed it; [PublicKeys.Check] asks.
func ParseCheckpoint(text string) (Checkpoint, error) {
	body, _, signed := strings.Cut(text, "\n\n")
	bad := func(what string) (Checkpoint, error) {
		return Checkpoint{}, fault.New(fault.Invalid, "this is not a checkpoint of the audit record: %s", what)
	}
	if !signed || len(text) > maxCheckpoint {
		return bad("it has no signature")
	}
	c, err := parseBody(body + "\n")
	if err != nil {
		return bad(err.Error())
	}
	c.Text = text
	return c, nil
}

func parseBody(body string) (c Checkpoint, err error) {
	lines := strings.Split(body, "\n")
	if len(lines) != 6 {
		return c, fault.New(fault.Invalid, "it has %d lines", len(lines)-1)
	}
	name, ok := strings.CutPrefix(lines[0], originPrefix)
	node, epoch, ok2 := cutLast(name, "/")
	if c.Node, err = url.PathUnescape(node); err != nil || !ok || !ok2 {
		return c, fault.New(fault.Invalid, "its first line names no log")
	}
	chains, snapshot, _ := strings.Cut(strings.TrimPrefix(lines[3], "chains "), " ")
	for _, n := range [...]struct {
		dest *int64
		text string
	}{{&c.Epoch, epoch}, {&c.Number, lines[1]}, {&c.Chains, chains}} {
		if *n.dest, err = strconv.ParseInt(n.text, 10, 64); err != nil {
			return c, fault.New(fault.Invalid, "a number is damaged")
		}
	}
	for _, h := range [...]struct {
		dest *merkle.Hash
		text string
	}{{&c.Root, lines[2]}, {&c.Snapshot, snapshot}} {
		raw, err := base64.StdEncoding.DecodeString(h.text)
		if err != nil || len(raw) != len(h.dest) {
			return c, fault.New(fault.Invalid, "a root is damaged")
		}
		*h.dest = merkle.Hash(raw)
	}
	if c.At, err = time.Parse(timeLayout, strings.TrimPrefix(lines[4], "time ")); err != nil {
		return c, fault.New(fault.Invalid, "its time is damaged")
	}
	if c.Number < 1 || c.Chains < 1 || c.body() != body { // one spelling only
		return c, fault.New(fault.Invalid, "it is not written as it should be")
	}
	return c, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// Check reads a checkpoint and makes sure that one of the keys signed it.
func (k PublicKeys) Check(text string) (Checkpoint, error) {
	c, err := ParseCheckpoint(text)
	if err != nil {
		return c, err
	}
	_, err = k.open(text)
	return c, err
}

// ParseCheckpoints reads checkpoints that stand one after another, as in the checkpoint file and as people paste them, each
// after the other's signatures. It asks nobody who signed them.
func ParseCheckpoints(text string) ([]Checkpoint, error) {
	var out []Checkpoint
	for rest := strings.ReplaceAll(text, "\r\n", "\n"); strings.TrimSpace(rest) != ""; {
		rest = strings.TrimLeft(rest, "\n")
		one, more := cutNote(rest)
		c, err := ParseCheckpoint(one)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "checkpoint %d of the file", len(out)+1)
		}
		out, rest = append(out, c), more
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "there is no checkpoint")
	}
	return out, nil
}

// cutNote cuts the first note off: a body, an empty line, signature lines.
func cutNote(s string) (one, rest string) {
	body := strings.Index(s, "\n\n")
	if body < 0 {
		return s, ""
	}
	end := body + 2
	for strings.HasPrefix(s[end:], "— ") {
		line := strings.IndexByte(s[end:], '\n')
		if line < 0 {
			return s, ""
		}
		end += line + 1
	}
	return s[:end], s[end:]
}

// newest keeps the newest checkpoint of each log.
func newest(list []Checkpoint) map[string]Checkpoint {
	out := map[string]Checkpoint{}
	for _, c := range list {
		if have, ok := out[c.Origin()]; !ok || c.Number > have.Number {
			out[c.Origin()] = c
		}
	}
	return out
}
