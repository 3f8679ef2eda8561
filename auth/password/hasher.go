package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"runtime"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
)

// Lengths of a password, as NIST SP 800-63B counts them: at least in characters, at most in bytes.
const (
	MinLength = 8
	MaxBytes  = 1024
)

// Options configures [New]. The zero value of each field is usable.
type Options struct {
	Params Params // costs of new hashes; default [DefaultParams]
	Slots  int    // hashes computed at once; default twice the CPUs
	Queue  int    // hashes that may wait for a slot; default 64
}

// Hasher computes and verifies password hashes. It is safe for concurrent use.
type Hasher struct {
	params  Params
	slots   chan struct{}
	waiting atomic.Int64
	queue   int64
	runs    atomic.Int64
}

// New returns a Hasher. It fails when the costs are outside the bounds that Verify accepts.
func New(o Options) (*Hasher, error) {
	if o.Params == (Params{}) {
		o.Params = DefaultParams()
	}
	if !o.Params.check() {
		return nil, fault.New(fault.Invalid, "the argon2id costs are out of bounds").
			WithHint("memory 8*threads to 262144 KiB, time 1 to 10, threads 1 to 16, salt 8 to 64 bytes, key 16 to 64 bytes")
	}
	if o.Slots <= 0 {
		o.Slots = 2 * runtime.NumCPU()
	}
	if o.Queue <= 0 {
		o.Queue = 64
	}
	return &Hasher{params: o.Params, slots: make(chan struct{}, o.Slots), queue: int64(o.Queue)}, nil
}

// Runs returns how many hashes have been computed, for tests and metrics.
func (h *Hasher) Runs() int64 { return h.runs.Load() }

// CheckNew reports why pw may not become a password, or nil.
func CheckNew(pw sealed.Value) error {
	b := reveal.Inside(pw)
	defer clear(b)
	bad := func(format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).At(fault.Where{Field: "password"}).
			WithHint("use %d characters or more, at most %d bytes", MinLength, MaxBytes)
	}
	switch {
	case len(b) > MaxBytes:
		return bad("the password is too long")
	case !utf8.Valid(b):
		return bad("the password is not UTF-8 text")
	case utf8.RuneCount(b) < MinLength:
		return bad("the password is too short")
	}
	return nil
}

// Hash returns a new hash of pw, after [CheckNew].
func (h *Hasher) Hash(ctx context.Context, pw sealed.Value) (string, error) {
	if err := CheckNew(pw); err != nil {
		return "", err
	}
	return h.hash(ctx, pw)
}

// Rehash is [Hasher.Hash] for a password that was just verified: an old password may be shorter than new ones must be.
func (h *Hasher) Rehash(ctx context.Context, pw sealed.Value) (string, error) { return h.hash(ctx, pw) }

func (h *Hasher) hash(ctx context.Context, pw sealed.Value) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	salt := make([]byte, h.params.Salt)
	rand.Read(salt) // never fails (crypto/rand)
	return format(h.params, salt, h.derive(pw, salt, h.params)), nil
}

func (h *Hasher) derive(pw sealed.Value, salt []byte, p Params) []byte {
	b := reveal.Inside(pw)
	defer clear(b)
	return argon2.IDKey(b, salt, p.Time, p.Memory, p.Threads, uint32(p.Key))
}

// Verify reports whether pw matches the hash string, and whether the string should be replaced by a stronger one. A
// string that cannot be read is an error, after the time of a hash.
func (h *Hasher) Verify(ctx context.Context, hash string, pw sealed.Value) (ok, weak bool, err error) {
	p, err := parse(hash)
	if err != nil {
		if busy := h.VerifyNothing(ctx, pw); busy != nil {
			return false, false, busy
		}
		return false, false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	if p.bcrypt != nil {
		b := reveal.Inside(pw)
		defer clear(b)
		return bcrypt.CompareHashAndPassword(p.bcrypt, b) == nil, true, nil
	}
	got := h.derive(pw, p.salt, p.params)
	return subtle.ConstantTimeCompare(got, p.key) == 1, p.params.weakerThan(h.params), nil
}

// VerifyNothing takes the time and the slot of a verification and matches nothing: for users who do not exist.
func (h *Hasher) VerifyNothing(ctx context.Context, pw sealed.Value) error {
	if err := h.enter(ctx); err != nil {
		return err
	}
	defer h.leave()
	h.derive(pw, make([]byte, h.params.Salt), h.params)
	return nil
}

// enter takes a slot, waits for one, or refuses when too many wait.
func (h *Hasher) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Canceled, err, "the caller went away")
	}
	select {
	case h.slots <- struct{}{}:
		h.runs.Add(1)
		return nil
	default:
	}
	if h.waiting.Add(1) > h.queue {
		h.waiting.Add(-1)
		return limit.Refuse(fault.Unavailable, time.Second, "too many logins at once")
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		h.runs.Add(1)
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Canceled, ctx.Err(), "the caller went away")
	}
}

func (h *Hasher) leave() { <-h.slots }
