package devllm

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// keySum is all the server keeps of a key.
type keySum [sha256.Size]byte

func (k keySum) fingerprint() string { return hex.EncodeToString(k[:4]) }

// Fingerprint returns the first 8 hex digits of a key's SHA-256, as the log shows it.
func Fingerprint(key sealed.Value) string { return sumOf(key).fingerprint() }

func sumOf(key sealed.Value) keySum {
	b := reveal.Inside(key)
	defer clear(b)
	return sha256.Sum256(b)
}

// ReadKeys reads one key per line. Blank lines and lines that begin with # are left out.
func ReadKeys(r io.Reader) ([]sealed.Value, error) {
	var out []sealed.Value
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, sealed.NewString(line))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the key file cannot be read")
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "the key file holds no key").WithHint("write one key per line")
	}
	return out, nil
}

// known reports whether one of the given keys has this sum. It looks at all of them, each in constant time.
func (s *Server) known(sum keySum) bool {
	found := 0
	for _, k := range *s.keys.Load() {
		found |= subtle.ConstantTimeCompare(k[:], sum[:])
	}
	return found == 1
}

// Allow makes the server answer to more keys.
func (s *Server) Allow(keys ...sealed.Value) {
	sums := make([]keySum, len(keys))
	for i, k := range keys {
		sums[i] = sumOf(k)
	}
	s.allow(sums)
}

func (s *Server) allow(sums []keySum) {
	for {
		have := s.keys.Load()
		more := append(append([]keySum(nil), *have...), sums...)
		if s.keys.CompareAndSwap(have, &more) {
			return
		}
	}
}

// Sum is the SHA-256 of a key: enough to recognise the key, nothing to use it with. Whoever starts the server again can
// keep sums where keys must not lie.
type Sum [sha256.Size]byte

// SumOf returns the sum of a key.
func SumOf(key sealed.Value) Sum { return Sum(sumOf(key)) }

// String returns the sum in hex, which [ParseSum] reads.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// ParseSum reads a sum in hex.
func ParseSum(text string) (Sum, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != sha256.Size {
		return Sum{}, fault.New(fault.Invalid, "this is not the SHA-256 of a key in hex")
	}
	return Sum(b), nil
}

// AllowSums makes the server answer to the keys that have these sums.
func (s *Server) AllowSums(sums ...Sum) {
	keys := make([]keySum, len(sums))
	for i, sum := range sums {
		keys[i] = keySum(sum)
	}
	s.allow(keys)
}

// authenticate returns the fingerprint of the key in the request, "none" without one, and what is wrong with it.
func (s *Server) authenticate(r *http.Request) (fingerprint string, bad *apiError) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); !strings.EqualFold(scheme, "Bearer") || key == "" {
		return "none", &apiError{status: http.StatusUnauthorized, Type: "invalid_request_error",
			Message: "No API key was provided. Send it in the Authorization header: Authorization: Bearer KEY."}
	}
	sum := keySum(sha256.Sum256([]byte(key)))
	if !s.known(sum) {
		return sum.fingerprint(), &apiError{status: http.StatusUnauthorized, Type: "invalid_request_error", Code: "invalid_api_key",
			Message: "Incorrect API key provided. This server knows the keys it was started with and no others."}
	}
	return sum.fingerprint(), nil
}
