package password_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/auth/limit"
	"github.com/haywardhq/hayward/auth/password"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// tiny makes hashing cheap enough for tests.
var tiny = password.Params{Memory: 16, Time: 1, Threads: 1, Salt: 16, Key: 32}

func newHasher(t testing.TB, o password.Options) *password.Hasher {
	t.Helper()
	if o.Params == (password.Params{}) {
		o.Params = tiny
	}
	h, err := password.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The hashes of the authentication tutorial's own user, password "secret", as passlib and pwdlib wrote them.
const (
	tutorialBcrypt = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"
	tutorialArgon  = "$argon2id$v=19$m=65536,t=3,p=4$wagCPXjifgvUFBzq4hqe3w$CYaIb8sB+wtD+Vu/P4uod1+Qof8h+1g7bbDlBID48Rc"
)

func TestHashesWrittenByPythonVerify(t *testing.T) {
	h := newHasher(t, password.Options{Params: password.DefaultParams()})
	for _, tc := range []struct {
		name, hash string
		weak       bool
	}{
		{"passlib bcrypt 2b", tutorialBcrypt, true},
		{"bcrypt 2a", cheapBcrypt(t, "$2a$"), true},
		{"bcrypt 2b", cheapBcrypt(t, "$2b$"), true},
		{"bcrypt 2y", cheapBcrypt(t, "$2y$"), true},
		{"pwdlib argon2id", tutorialArgon, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ok, weak, err := h.Verify(t.Context(), tc.hash, sealed.NewString("secret"))
			if !ok || weak != tc.weak || err != nil {
				t.Errorf("got %v %v %v", ok, weak, err)
			}
			if ok, _, err := h.Verify(t.Context(), tc.hash, sealed.NewString("Secret")); ok || err != nil {
				t.Errorf("a wrong password: got %v %v", ok, err)
			}
		})
	}
}

// cheapBcrypt hashes "secret" at the least cost and names the variant: the three differ in name only.
func cheapBcrypt(t *testing.T, variant string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return variant + string(hash[4:])
}

func TestWhatIsHashedVerifiesAndNothingElseDoes(t *testing.T) {
	h := newHasher(t, password.Options{})
	rapid.Check(t, func(t *rapid.T) {
		pw := rapid.StringN(8, 60, password.MaxBytes).Draw(t, "password")
		other := rapid.String().Draw(t, "other")
		hash, err := h.Hash(context.Background(), sealed.NewString(pw))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(hash, pw) || password.Check(hash) != nil {
			t.Fatalf("a bad hash string %q", hash)
		}
		ok, weak, err := h.Verify(context.Background(), hash, sealed.NewString(pw))
		if !ok || weak || err != nil {
			t.Fatalf("got %v %v %v", ok, weak, err)
		}
		if ok, _, _ := h.Verify(context.Background(), hash, sealed.NewString(other)); ok != (other == pw) {
			t.Fatalf("%q verifies a hash of %q", other, pw)
		}
	})
}

func TestHostileHashStringsAreRefusedBeforeAnythingIsAllocated(t *testing.T) {
	salt, key := "$wagCPXjifgvUFBzq4hqe3w", "$CYaIb8sB+wtD+Vu/P4uod1+Qof8h+1g7bbDlBID48Rc"
	argon := func(costs string) string { return "$argon2id$v=19$" + costs + salt + key }
	for name, hash := range map[string]string{
		"empty":                "",
		"plain text":           "secret",
		"argon2i":              "$argon2i$v=19$m=65536,t=3,p=4" + salt + key,
		"version 16":           "$argon2id$v=16$m=65536,t=3,p=4" + salt + key,
		"no version":           "$argon2id$m=65536,t=3,p=4" + salt + key,
		"t=0 (would panic)":    argon("m=65536,t=0,p=4"),
		"p=0 (would panic)":    argon("m=65536,t=3,p=0"),
		"4 TiB":                argon("m=4294967295,t=3,p=4"),
		"m above 2^32":         argon("m=4294967296,t=3,p=4"),
		"just above 256 MiB":   argon("m=262145,t=3,p=4"),
		"t=11":                 argon("m=65536,t=11,p=4"),
		"p=17":                 argon("m=65536,t=3,p=17"),
		"p=257 (narrows to 1)": argon("m=65536,t=3,p=257"),
		"m below 8p":           argon("m=31,t=3,p=4"),
		"negative":             argon("m=-1,t=3,p=4"),
		"sign":                 argon("m=+65536,t=3,p=4"),
		"leading zero":         argon("m=065536,t=3,p=4"),
		"order":                argon("t=3,m=65536,p=4"),
		"extra cost":           argon("m=65536,t=3,p=4,x=1"),
		"space":                argon("m=65536, t=3,p=4"),
		"padded salt":          "$argon2id$v=19$m=65536,t=3,p=4" + salt + "==" + key,
		"short salt":           "$argon2id$v=19$m=65536,t=3,p=4$AAAA" + key,
		"short key":            "$argon2id$v=19$m=65536,t=3,p=4" + salt + "$AAAA",
		"empty key":            "$argon2id$v=19$m=65536,t=3,p=4" + salt + "$",
		"long key":             "$argon2id$v=19$m=65536,t=3,p=4" + salt + "$" + strings.Repeat("A", 88),
		"newline in the key":   argon("m=65536,t=3,p=4") + "\n",
		"trailing part":        argon("m=65536,t=3,p=4") + "$x",
		"bits left over":       "$argon2id$v=19$m=65536,t=3,p=4" + salt[:len(salt)-1] + "x" + key,
		"huge":                 argon("m=65536,t=3,p=4") + strings.Repeat("A", 1<<20),
		"bcrypt cost 31":       strings.Replace(tutorialBcrypt, "$12$", "$31$", 1),
		"bcrypt cost 03":       strings.Replace(tutorialBcrypt, "$12$", "$03$", 1),
		"bcrypt cost 1x":       strings.Replace(tutorialBcrypt, "$12$", "$1x$", 1),
		"bcrypt cut off":       tutorialBcrypt[:59],
		"bcrypt 2x":            strings.Replace(tutorialBcrypt, "$2b$", "$2x$", 1),
		"bcrypt odd letter":    tutorialBcrypt[:59] + "=",
	} {
		t.Run(name, func(t *testing.T) {
			err := password.Check(hash)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v, want Invalid", err)
			}
			if len(hash) > 3 && strings.Contains(err.Error(), hash) {
				t.Error("the error quotes the hash")
			}
			h := newHasher(t, password.Options{})
			if ok, _, err := h.Verify(t.Context(), hash, sealed.NewString("secret")); ok || err == nil {
				t.Errorf("Verify: got %v %v", ok, err)
			}
			if h.Runs() != 1 {
				t.Errorf("%d hashes computed, want one, for its time", h.Runs())
			}
		})
	}
}

func TestWeakerHashesAskToBeReplaced(t *testing.T) {
	old := newHasher(t, password.Options{})
	hash, err := old.Hash(t.Context(), sealed.NewString("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		p    password.Params
		weak bool
	}{
		{"the same", tiny, false},
		{"more memory", password.Params{Memory: 32, Time: 1, Threads: 1, Salt: 16, Key: 32}, true},
		{"more passes", password.Params{Memory: 16, Time: 2, Threads: 1, Salt: 16, Key: 32}, true},
		{"longer key", password.Params{Memory: 16, Time: 1, Threads: 1, Salt: 16, Key: 64}, true},
		{"less", password.Params{Memory: 8, Time: 1, Threads: 1, Salt: 8, Key: 16}, false},
	} {
		ok, weak, err := newHasher(t, password.Options{Params: tc.p}).Verify(t.Context(), hash, sealed.NewString("correct horse"))
		if !ok || weak != tc.weak || err != nil {
			t.Errorf("%s: got %v weak=%v %v", tc.name, ok, weak, err)
		}
	}
}

func TestNewPasswordsAreBounded(t *testing.T) {
	h := newHasher(t, password.Options{})
	for _, tc := range []struct {
		name, pw string
		ok       bool
	}{
		{"empty", "", false},
		{"seven", "1234567", false},
		{"eight", "12345678", true},
		{"eight characters of two bytes", "ääääääää", true},
		{"four characters of two bytes", "ääää", false},
		{"colon, space and quote", "a: 'b' \"c\"", true},
		{"1024 bytes", strings.Repeat("x", 1024), true},
		{"1025 bytes", strings.Repeat("x", 1025), false},
		{"not UTF-8", "\xff\xfe12345678", false},
	} {
		_, err := h.Hash(t.Context(), sealed.NewString(tc.pw))
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil && len(tc.pw) > 3 && strings.Contains(fmt.Sprintf("%+v", err), tc.pw) {
			t.Errorf("%s: the error quotes the password", tc.name)
		}
	}
}

func TestRow11AFloodIsTurnedAwayWithATimeToRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, password.Options{Slots: 2, Queue: 3})
		release, err := h.Occupy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Occupy(t.Context()); err != nil {
			t.Fatal(err)
		}
		var done, busy atomic.Int64
		for range 100 {
			go func() {
				err := h.VerifyNothing(t.Context(), sealed.NewString("x"))
				if err == nil {
					done.Add(1)
					return
				}
				if after, ok := limit.RetryAfter(err); !fault.Is(err, fault.Unavailable) || !ok || after <= 0 {
					t.Errorf("got %v", err)
				}
				busy.Add(1)
			}()
		}
		synctest.Wait()
		if done.Load() != 0 || busy.Load() != 97 {
			t.Errorf("while all slots are taken: %d done, %d turned away, want 0 and 97", done.Load(), busy.Load())
		}
		release()
		synctest.Wait()
		if done.Load() != 3 || h.Runs() != 5 {
			t.Errorf("once a slot is free: %d of those who waited are done, want 3; %d runs", done.Load(), h.Runs())
		}
	})
}

func TestACallerWhoLeavesTheQueueFreesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(t, password.Options{Slots: 1, Queue: 1})
		release, err := h.Occupy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- h.VerifyNothing(ctx, sealed.NewString("x")) }()
		synctest.Wait()
		leave()
		if err := <-left; !fault.Is(err, fault.Canceled) {
			t.Errorf("got %v", err)
		}
		go func() { left <- h.VerifyNothing(t.Context(), sealed.NewString("x")) }()
		synctest.Wait()
		release()
		if err := <-left; err != nil {
			t.Errorf("the next in the queue: %v", err)
		}
	})
}

func TestCostsOutOfBoundsAreRefusedAtStart(t *testing.T) {
	for _, p := range []password.Params{{Memory: 1}, {Memory: 1 << 20, Time: 1, Threads: 1, Salt: 16, Key: 32},
		{Memory: 64, Time: 0, Threads: 1, Salt: 16, Key: 32}} {
		if _, err := password.New(password.Options{Params: p}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: got %v", p, err)
		}
	}
}

func FuzzPHC(f *testing.F) {
	for _, s := range []string{tutorialArgon, tutorialBcrypt,
		"$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$2b$", "$"} {
		f.Add(s)
	}
	h := newHasher(f, password.Options{})
	f.Fuzz(func(t *testing.T, s string) {
		err := password.Check(s)
		cheap := !strings.HasPrefix(s, "$2") && !strings.Contains(s, "m=1") && len(s) < 90
		if err != nil || !cheap {
			return
		}
		begun := time.Now()
		if ok, _, err := h.Verify(t.Context(), s, sealed.NewString("no such password")); ok || err != nil {
			t.Fatalf("%q: %v %v after %s", s, ok, err, time.Since(begun))
		}
	})
}

func BenchmarkVerifyDefault(b *testing.B) {
	h := newHasher(b, password.Options{Params: password.DefaultParams()})
	hash, _ := h.Hash(b.Context(), sealed.NewString("correct horse"))
	for b.Loop() {
		h.Verify(b.Context(), hash, sealed.NewString("correct horse"))
	}
}
