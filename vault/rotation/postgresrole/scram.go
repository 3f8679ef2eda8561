package postgresrole

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/secure/precis"

	"github.com/haywardhq/hayward/fault"
)

// iterations is PostgreSQL's own number for new verifiers.
const iterations = 4096

// Limits of what a server may ask for: more is an attack, or a mistake that looks like one.
const (
	maxIterations = 1 << 20
	maxSalt       = 1024
)

// keys are what SCRAM derives from a password.
type keys struct{ client, stored, server []byte }

// derive computes RFC 5802's ClientKey, StoredKey and ServerKey.
func derive(password, salt []byte, rounds int) (keys, error) {
	prepared := password
	if p, err := precis.OpaqueString.Bytes(password); err == nil { // PostgreSQL, too, takes what cannot be prepared as it is
		prepared = p
	}
	salted, err := pbkdf2.Key(sha256.New, string(prepared), salt, rounds, sha256.Size)
	if err != nil {
		return keys{}, fault.Wrap(fault.Internal, err, "a password cannot be derived")
	}
	k := keys{client: mac(salted, "Client Key"), server: mac(salted, "Server Key")}
	sum := sha256.Sum256(k.client)
	k.stored = sum[:]
	return k, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// verifier returns what PostgreSQL stores of a password (its documentation of pg_authid). The salt follows from the
// idempotency token and the role: to repeat a step is to send the same bytes.
func verifier(password []byte, token, role string) (string, error) {
	salt := mac([]byte(token), "hayward/postgresrole/salt/1\x00"+role)[:16]
	k, err := derive(password, salt, iterations)
	if err != nil {
		return "", err
	}
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, b64(salt), b64(k.stored), b64(k.server)), nil
}

// exchange is one login by SCRAM-SHA-256, seen from the client.
type exchange struct {
	password []byte
	nonce    string // ours
	first    string // client-first-message-bare
	expect   []byte // the server's signature
}

// begin returns the first message. The name in it is empty: PostgreSQL takes the one of the startup message.
func (e *exchange) begin(nonce string) []byte {
	e.nonce, e.first = nonce, "n=,r="+nonce
	return []byte("n,," + e.first)
}

// answer returns the final message to the server's first one.
func (e *exchange) answer(serverFirst []byte) ([]byte, error) {
	nonce, salt, rounds, err := parseServerFirst(string(serverFirst))
	if err != nil {
		return nil, err
	}
	if e.nonce == "" || !strings.HasPrefix(nonce, e.nonce) || len(nonce) == len(e.nonce) {
		return nil, refused("its nonce does not follow from ours")
	}
	k, err := derive(e.password, salt, rounds)
	if err != nil {
		return nil, err
	}
	final := "c=biws,r=" + nonce // biws is "n,,": no channel binding
	message := e.first + "," + string(serverFirst) + "," + final
	proof := mac(k.stored, message)
	subtle.XORBytes(proof, proof, k.client)
	e.expect = mac(k.server, message)
	return []byte(final + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

// finish checks that the server knows the password, too.
func (e *exchange) finish(serverFinal []byte) error {
	text, ok := bytes.CutPrefix(serverFinal, []byte("v="))
	got, err := base64.StdEncoding.DecodeString(string(text))
	if !ok || err != nil || e.expect == nil || !hmac.Equal(got, e.expect) {
		return refused("it does not know the password itself")
	}
	return nil
}

// parseServerFirst reads "r=nonce,s=salt,i=rounds".
func parseServerFirst(s string) (nonce string, salt []byte, rounds int, err error) {
	fields := strings.Split(s, ",")
	if len(fields) < 3 {
		return "", nil, 0, refused("its first message is not of SCRAM")
	}
	nonce, hasNonce := strings.CutPrefix(fields[0], "r=")
	text, hasSalt := strings.CutPrefix(fields[1], "s=")
	count, hasCount := strings.CutPrefix(fields[2], "i=")
	salt, err = base64.StdEncoding.DecodeString(text)
	rounds, err2 := strconv.Atoi(count)
	switch {
	case !hasNonce || !hasSalt || !hasCount || err != nil || err2 != nil || len(salt) == 0 || len(salt) > maxSalt:
		return "", nil, 0, refused("its first message is not of SCRAM")
	case rounds < iterations || rounds > maxIterations:
		return "", nil, 0, refused("it asks for a number of rounds that is too small or too large")
	}
	return nonce, salt, rounds, nil
}

func refused(why string) error {
	return fault.New(fault.Denied, "the login was broken off: the database server cannot be trusted, %s", why).WithCode("ServerRefused")
}
