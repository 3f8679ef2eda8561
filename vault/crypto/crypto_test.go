package crypto_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/crypto"
	"github.com/haywardhq/hayward/vault/internal/base"
)

const key = "0123456789abcdef0123456789abcdef"

func TestEncryptor(t *testing.T) {
	for _, n := range []int{0, 5, 16, 31, 33, 64} {
		if _, err := crypto.NewEncryptor(make([]byte, n)); !errors.Is(err, crypto.ErrInvalidKeySize) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	enc, err := crypto.NewEncryptor([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("long"), 10_000)} {
		ct, err := enc.Encrypt(plain)
		if err != nil {
			t.Fatal(err)
		}
		back, err := enc.Decrypt(ct)
		if err != nil || !bytes.Equal(back, plain) {
			t.Errorf("%d bytes: %v", len(plain), err)
		}
		ct[len(ct)-1] ^= 1
		if _, err := enc.Decrypt(ct); !errors.Is(err, base.ErrDecryptionFailed) {
			t.Errorf("changed: %v", err)
		}
	}
	verbs := strings.Join([]string{"%v", "%+v", "%#v", "%s", "%x"}, " ")
	if out := fmt.Sprintf(verbs, enc, enc, enc, enc, enc); strings.Contains(out, key) || strings.Contains(out, hex.EncodeToString([]byte(key))) {
		t.Error("it prints its key")
	}
}

func TestEnvKeyProvider(t *testing.T) {
	var p crypto.EncryptionKeyProvider = crypto.NewEnvKeyProvider("MY_KEY")
	t.Setenv("MY_KEY", hex.EncodeToString([]byte(key)))
	if got, err := p.GetKey(t.Context()); err != nil || string(got) != key {
		t.Errorf("%v", err)
	}
	t.Setenv("MY_KEY", "super-secret-value")
	if _, err := p.GetKey(t.Context()); !errors.Is(err, crypto.ErrInvalidKeySize) || strings.Contains(err.Error(), "super") {
		t.Errorf("%v", err)
	}
	if _, err := p.RotateKey(t.Context()); !fault.Is(err, fault.Unsupported) {
		t.Errorf("%v", err)
	}
}
