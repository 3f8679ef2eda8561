package backup

import (
	"bytes"
	"io"
	"math"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/keyring"
)

func sample(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	r := newRecords(&b)
	at := &shape{name: "t", columns: []column{{name: "k", kind: "TEXT"}, {name: "v", kind: "BLOB"}, {name: "n", kind: "INTEGER"}, {name: "f", kind: "REAL"}}}
	if err := r.table(at); err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]any{{"a", []byte{1}, int64(-5), 0.5}, {nil, nil, nil, nil}, {"", []byte{}, int64(1) << 62, math.Copysign(0, -1)}} {
		if err := r.row(row); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.end(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzRecords reads any bytes as the rows of a backup: an error with its kind, or rows that write to the same bytes.
func FuzzRecords(f *testing.F) {
	f.Add(sample(f))
	f.Add([]byte("e\x00\x00"))
	f.Add([]byte("t\x01t\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var again bytes.Buffer
		out := newRecords(&again)
		var s Summary
		err := walk(bytes.NewReader(text), &s, sink{func(at shape) error { return out.table(&at) }, out.row})
		if err != nil {
			if err != io.EOF && fault.KindOf(err) == fault.Internal {
				t.Errorf("an error without a kind: %v", err)
			}
			return
		}
		sum, err := out.end()
		if err != nil || sum != s.SHA256 {
			// The same number can be written in more bytes than it needs; the rows are the same then.
			var s2 Summary
			if err := walk(bytes.NewReader(again.Bytes()), &s2, sink{}); err != nil || s2.Rows != s.Rows {
				t.Errorf("%v; %+v became %+v", err, s, s2)
			}
		}
	})
}

// FuzzFile reads any bytes as a backup. None that was not written by the ring is one.
func FuzzFile(f *testing.F) {
	root, err := keyring.NewRoot(make([]byte, keyring.KeySize), "the test")
	if err != nil {
		f.Fatal(err)
	}
	ring, err := keyring.New(root)
	if err != nil {
		f.Fatal(err)
	}
	key := make([]byte, 32)
	wrapped, err := ring.Wrap(purpose, key)
	if err != nil {
		f.Fatal(err)
	}
	var file bytes.Buffer
	bound, err := writeHeader(&file, Header{Key: wrapped})
	if err != nil {
		f.Fatal(err)
	}
	aead, err := newAEAD(key)
	if err != nil {
		f.Fatal(err)
	}
	stream := newSealer(&file, aead, bound)
	if _, err := stream.Write(sample(f)); err != nil {
		f.Fatal(err)
	}
	if err := stream.Close(); err != nil {
		f.Fatal(err)
	}
	want, err := Verify(ring, bytes.NewReader(file.Bytes()))
	if err != nil || want.Rows != 3 {
		f.Fatalf("%+v, %v", want, err)
	}
	f.Add(file.Bytes())
	f.Add([]byte(magic))
	f.Add([]byte(magic + "{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		// Each process wraps the key anew, so that a seed may be another's file; the rows are the same.
		if s, err := Verify(ring, bytes.NewReader(text)); err == nil && s.SHA256 != want.SHA256 {
			t.Errorf("%+v", s)
		}
	})
}

// TestTheStream: whatever is written comes back, for every size around a part's.
func TestTheStream(t *testing.T) {
	aead, err := newAEAD(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 2*chunkSize + 7} {
		text := bytes.Repeat([]byte{7}, size)
		var file bytes.Buffer
		s := newSealer(&file, aead, []byte("bound"))
		for part := text; len(part) > 0; {
			n := min(len(part), 1000)
			if _, err := s.Write(part[:n]); err != nil {
				t.Fatal(err)
			}
			part = part[n:]
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []string{"bound", "other"} {
			got, err := io.ReadAll(newOpener(bytes.NewReader(file.Bytes()), aead, []byte(wrong)))
			if ok := err == nil && bytes.Equal(got, text); ok != (wrong == "bound") {
				t.Errorf("%d bytes, bound to %q: %d bytes, %v", size, wrong, len(got), err)
			}
		}
		if _, err := io.ReadAll(newOpener(bytes.NewReader(file.Bytes()[:file.Len()-1]), aead, []byte("bound"))); err == nil {
			t.Errorf("%d bytes, one cut off", size)
		}
	}
}
