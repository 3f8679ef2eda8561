package postgresrole

import (
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
)

// The example of RFC 7677, section 3.
func TestTheExchangeOfTheRFC(t *testing.T) {
	e := exchange{password: []byte("pencil"), nonce: "rOprNGfwEbeRWgbNEkqO", first: "n=user,r=rOprNGfwEbeRWgbNEkqO"}
	got, err := e.answer([]byte("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"))
	want := "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v", got, err)
	}
	if err := e.finish([]byte("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "v=", "v=AAAA", "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "e=other-error"} {
		if err := e.finish([]byte(bad)); !fault.Is(err, fault.Denied) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAServerThatAsksForTooMuchIsRefused(t *testing.T) {
	for name, first := range map[string]string{
		"nothing": "", "another nonce": "r=other,s=W22Z,i=4096", "our nonce alone": "r=mine,s=W22Z,i=4096", "no salt": "r=mine+,s=,i=4096",
		"few rounds": "r=mine+,s=W22Z,i=1", "many rounds": "r=mine+,s=W22Z,i=2000000000", "a long salt": "r=mine+,s=" + strings.Repeat("AAAA", 400) + ",i=4096",
		"no number": "r=mine+,s=W22Z,i=x", "an extension first": "m=x,r=mine+,s=W22Z,i=4096",
	} {
		e := exchange{password: []byte("pencil")}
		e.begin("mine")
		if out, err := e.answer([]byte(first)); !fault.Is(err, fault.Denied) || out != nil {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	if err := (&exchange{}).finish([]byte("v=")); !fault.Is(err, fault.Denied) {
		t.Errorf("a final message without a first: %v", err)
	}
}

func TestAVerifierFollowsFromTheToken(t *testing.T) {
	one, err := verifier([]byte("pencil"), "rot_1", "app_a")
	again, _ := verifier([]byte("pencil"), "rot_1", "app_a")
	other, _ := verifier([]byte("pencil"), "rot_2", "app_a")
	role, _ := verifier([]byte("pencil"), "rot_1", "app_b")
	if err != nil || one != again || one == other || one == role || !strings.HasPrefix(one, "SCRAM-SHA-256$4096:") || strings.ContainsAny(one, `'"\`) {
		t.Errorf("%s\n%s\n%s\n%s\n%v", one, again, other, role, err)
	}
}

func FuzzServerFirst(f *testing.F) {
	f.Add("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
	f.Add("r=,s=,i=")
	f.Fuzz(func(t *testing.T, s string) {
		nonce, salt, rounds, err := parseServerFirst(s)
		if err == nil && (rounds < iterations || rounds > maxIterations || len(salt) == 0 || len(salt) > maxSalt || !strings.HasPrefix(s, "r="+nonce)) {
			t.Fatalf("%q became %q, %d bytes, %d rounds", s, nonce, len(salt), rounds)
		}
		if err != nil && !fault.Is(err, fault.Denied) {
			t.Fatal(err)
		}
	})
}
