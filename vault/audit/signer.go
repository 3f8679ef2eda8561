package audit

import (
	"crypto/ed25519"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/haywardhq/hayward/fault"
)

// SigningPurpose is what the key that signs checkpoints is for.
const SigningPurpose = "audit"

// Signer signs checkpoints with Ed25519. A server makes it from keyring.Ring.Signer; the record itself knows no keyring.
type Signer struct {
	ID     string // names the key; no spaces, no "+"
	Public ed25519.PublicKey
	Sign   func(message []byte) ([]byte, error)
}

// Key returns the public key as a line to hand out, in the form of golang.org/x/mod/sumdb/note: name+hash+key.
func (s Signer) Key() (string, error) {
	line, err := note.NewEd25519VerifierKey(s.ID, s.Public)
	if err != nil || s.ID == "" || strings.ContainsAny(s.ID, "+ \t\n") {
		return "", fault.New(fault.Invalid, "%q does not name a signing key", clean(s.ID, 64))
	}
	return line, nil
}

// signer is a Signer as the note package wants it.
type signer struct {
	note.Verifier
	sign func([]byte) ([]byte, error)
}

func (s signer) Sign(message []byte) ([]byte, error) { return s.sign(message) }

func (s Signer) note() (signer, error) {
	line, err := s.Key()
	if err != nil {
		return signer{}, err
	}
	if s.Sign == nil {
		return signer{}, fault.New(fault.Internal, "the signing key %s signs nothing", s.ID)
	}
	v, err := note.NewVerifier(line)
	if err != nil {
		return signer{}, fault.Wrap(fault.Invalid, err, "%q does not name a signing key", clean(s.ID, 64))
	}
	return signer{v, s.Sign}, nil
}

// PublicKeys are the keys that checkpoints may be signed with. The zero value trusts nobody.
type PublicKeys struct{ list []note.Verifier }

// ParseKeys reads public keys as [Signer.Key] writes them, one a line; empty lines and lines that begin with "#" are skipped.
func ParseKeys(text string) (PublicKeys, error) {
	var keys PublicKeys
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		v, err := note.NewVerifier(line)
		if err != nil {
			return PublicKeys{}, fault.New(fault.Invalid, "line %d is not a public key of the audit record", i+1).At(fault.Where{Position: fault.Position{Line: i + 1}}).
				WithHint("a key looks like name+hash+base64")
		}
		keys.list = append(keys.list, v)
	}
	if len(keys.list) == 0 {
		return PublicKeys{}, fault.New(fault.Invalid, "there is no public key").WithHint("a key looks like name+hash+base64")
	}
	return keys, nil
}

// And returns the keys of both.
func (k PublicKeys) And(more PublicKeys) PublicKeys {
	return PublicKeys{append(k.list[:len(k.list):len(k.list)], more.list...)}
}

// open returns the text that one of the keys signed.
func (k PublicKeys) open(signed string) (string, error) {
	seen := map[string]bool{}
	var known []note.Verifier
	for _, v := range k.list { // the note package wants each name once
		if id := v.Name() + strconv.FormatUint(uint64(v.KeyHash()), 10); !seen[id] {
			seen[id] = true
			known = append(known, v)
		}
	}
	n, err := note.Open([]byte(signed), note.VerifierList(known...))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the checkpoint is not signed by a key that is trusted here").WithCode("AuditBroken").
			WithHint("compare the key's name with those that were given")
	}
	return n.Text, nil
}
