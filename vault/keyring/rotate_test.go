package keyring_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/internal/base"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
)

func files(t testing.TB, path string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestTheRootKeyChangesWhileEverythingStaysReadable(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 150) // several batches
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	first := r.RootID()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.RotateRoot(t.Context())
	if err != nil || p.Phase != keyring.PhaseIdle || p.Epoch != 2 || p.Total != 150 || p.Rewrapped != 150 || p.RootID == first || p.RootID != r.RootID() || p.Advice == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	if err := w.whole(r); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) == string(before) || files(t, path) != "root.key" {
		t.Errorf("the files are %s, %v", files(t, path), err)
	}
	if err := w.whole(mustOpen(t, w.st, keyring.FileRoot(path))); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(t.Context(), w.st, keyring.FileRoot(path)); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("the former root key: %v", err)
	}
}

func TestAnInterruptedChangeOfTheRootKeyGoesOn(t *testing.T) {
	eachFault(t, 70, func(t *testing.T, w *world, path string, r *keyring.Ring, at string) bool {
		_, err := r.RotateRoot(t.Context())
		if err == nil {
			return false
		}
		if !errors.Is(err, errInjected) {
			t.Fatalf("%s: %v", at, err)
		}
		if err := w.whole(r); err != nil {
			t.Errorf("%s: the ring that was interrupted: %v", at, err)
		}
		again := mustOpen(t, w.st, keyring.FileRoot(path))
		if err := w.whole(again); err != nil {
			t.Errorf("%s: after a restart: %v", at, err)
		}
		p, err := again.Resume(t.Context())
		if err != nil || p.Phase != keyring.PhaseIdle || p.Rewrapped != 70 {
			t.Errorf("%s: %+v, %v", at, p, err)
		}
		if err := w.whole(again); err != nil {
			t.Errorf("%s: after it went on: %v", at, err)
		}
		if p, err = again.RotateRoot(t.Context()); err != nil || p.Epoch < 2 || files(t, path) != "root.key" {
			t.Errorf("%s: the next change: %+v, %v, files %s", at, p, err, files(t, path))
		}
		if err := w.whole(mustOpen(t, w.st, keyring.FileRoot(path))); err != nil {
			t.Errorf("%s: at the end: %v", at, err)
		}
		return true
	})
}

// Two replicas share a store; only one of them changes the root key, and the other one reads and writes all the time.
func TestAnotherReplicaFollows(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 100)
	one, two := mustOpen(t, w.st, keyring.FileRoot(path)), mustOpen(t, w.st, keyring.FileRoot(path), keyring.WithCacheSize(1))
	stop, failed := make(chan struct{}), make(chan error, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				failed <- nil
				return
			default:
			}
			tenant := fmt.Sprint("tenant-", i%100)
			if got, err := unseal(two, w.st, tenantPlace(tenant), w.boxes[tenant]); err != nil || got != "value of "+tenant {
				failed <- fmt.Errorf("reading %s: %q, %w", tenant, got, err)
				return
			}
			if err := w.st.Update(context.Background(), func(tx driver.Tx) error {
				_, err := two.Seal(context.Background(), tx, tenantPlace(fmt.Sprint("new-", i)), sealed.NewString("v"))
				return err
			}); err != nil {
				failed <- fmt.Errorf("writing: %w", err)
				return
			}
		}
	})
	for range 3 {
		if _, err := one.RotateRoot(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	for _, r := range []*keyring.Ring{one, two, mustOpen(t, w.st, keyring.FileRoot(path))} {
		if err := w.whole(r); err != nil {
			t.Error(err)
		}
	}
	if err := w.st.View(t.Context(), func(tx driver.Tx) error {
		all, under, err := tx.CountKeysEverywhere(t.Context(), one.RootID())
		if all != under {
			t.Errorf("%d of %d keys are under the root key in use", under, all)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A replica on another machine has its own copy of the key file, and learns the next key from the store.
func TestAReplicaWithoutTheFileFollowsWhileTheChangeLasts(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	here, there := keyPath(t, key), keyPath(t, key)
	w := newWorld(t, keyring.FileRoot(here), 3)
	f := &faults{at: 3} // next, announce, then the first batch fails
	one := mustOpen(t, faultStore{w.st, f}, faultRotator{keyring.FileRoot(here), f})
	f.n.Store(0)
	if _, err := one.RotateRoot(t.Context()); !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	late := mustOpen(t, w.st, keyring.FileRoot(there)) // starts during the change
	box := seal(t, late, w.st, tenantPlace("made meanwhile"), "v")
	f.at = 0
	if p, err := one.Resume(t.Context()); err != nil || p.Rewrapped != 4 {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, r := range []*keyring.Ring{one, late} {
		if err := w.whole(r); err != nil {
			t.Error(err)
		}
		if got, err := unseal(r, w.st, tenantPlace("made meanwhile"), box); err != nil || got != "v" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := keyring.Open(t.Context(), w.st, keyring.FileRoot(there)); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("its old copy of the file, at the next start: %v", err)
	}
}

func TestARootKeyInTheEnvironmentIsChangedWithTheOperatorsHelp(t *testing.T) {
	first, second := strings.Repeat("a", 32), strings.Repeat("b", 32)
	t.Setenv("ROOT", hex.EncodeToString([]byte(first)))
	w := newWorld(t, keyring.EnvRoot("ROOT"), 3)
	r := mustOpen(t, w.st, keyring.EnvRoot("ROOT"))
	_, err := r.RotateRoot(t.Context())
	if !fault.Is(err, fault.Unsupported) || !strings.Contains(fault.From(err).Hint, "ROOT_NEXT") {
		t.Fatalf("without the next: %v", err)
	}
	t.Setenv("ROOT_NEXT", "super-secret-password")
	if _, err := r.RotateRoot(t.Context()); !errors.Is(err, base.ErrInvalidKey) || strings.Contains(err.Error(), "super") {
		t.Fatalf("a bad next: %v", err)
	}
	t.Setenv("ROOT_NEXT", hex.EncodeToString([]byte(first)))
	if _, err := r.RotateRoot(t.Context()); !fault.Is(err, fault.Unsupported) {
		t.Fatalf("the same key once more: %v", err)
	}
	t.Setenv("ROOT_NEXT", hex.EncodeToString([]byte(second)))
	p, err := r.RotateRoot(t.Context())
	if err != nil || !strings.Contains(p.Advice, "ROOT_NEXT") {
		t.Fatalf("%+v, %v", p, err)
	}
	if err := errors.Join(w.whole(r), w.whole(mustOpen(t, w.st, keyring.EnvRoot("ROOT")))); err != nil {
		t.Errorf("both variables set: %v", err)
	}
	if _, err := r.Shred(t.Context(), keyring.ShredRequest{App: "a", Tenant: "tenant-0", Reason: "r"}); !fault.Is(err, fault.Unsupported) {
		t.Errorf("destroying without another next: %v", err)
	}
	if err := w.whole(r); err != nil {
		t.Errorf("it was refused, and yet: %v", err)
	}
	t.Setenv("ROOT", hex.EncodeToString([]byte(second)))
	t.Setenv("ROOT_NEXT", "")
	if err := w.whole(mustOpen(t, w.st, keyring.EnvRoot("ROOT"))); err != nil {
		t.Errorf("once the operator followed the advice: %v", err)
	}
	t.Setenv("ROOT", hex.EncodeToString([]byte(first)))
	if _, err := keyring.Open(t.Context(), w.st, keyring.EnvRoot("ROOT")); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("the former key alone: %v", err)
	}
}

// With a key file beside the variable the root key changes without the operator, and so does the variable's key.
func TestAVariableThatWrapsAKeyFile(t *testing.T) {
	path := keyPath(t, nil)
	t.Setenv("ROOT", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 32))))
	p := keyring.WithKeyFile(keyring.EnvRoot("ROOT"), path)
	old := newWorld(t, keyring.EnvRoot("ROOT"), 3) // written without the file
	r := mustOpen(t, old.st, p)
	if err := old.whole(r); err != nil {
		t.Fatal(err)
	}
	if got := files(t, path); got != "" {
		t.Fatalf("nothing was changed, and yet there is %s", got)
	}
	progress, err := r.RotateRoot(t.Context())
	if err != nil || !strings.Contains(progress.Advice, "ROOT") {
		t.Fatalf("%+v %v", progress, err)
	}
	if _, err := r.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ROOT_NEXT", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("b", 32))))
	if _, err := r.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ROOT", os.Getenv("ROOT_NEXT"))
	t.Setenv("ROOT_NEXT", "")
	if err := errors.Join(old.whole(r), old.whole(mustOpen(t, old.st, p))); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ROOT", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a", 32))))
	if _, err := keyring.Open(t.Context(), old.st, p); !errors.Is(err, base.ErrWrongRootKey) {
		t.Errorf("the former variable: %v", err)
	}

	fresh := keyPath(t, nil)
	w := newWorld(t, keyring.WithKeyFile(keyring.EnvRoot("ROOT"), fresh), 2)
	if got := files(t, fresh); got != "root.key" {
		t.Errorf("a fresh store is under the file's key at once, but there is %q", got)
	}
	if err := w.whole(mustOpen(t, w.st, keyring.WithKeyFile(keyring.EnvRoot("ROOT"), fresh))); err != nil {
		t.Error(err)
	}
}

func TestARootKeyFileMovesToAService(t *testing.T) {
	key, path := keyPath(t, nil), keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(key), 3)
	to := keyring.Moving(keyring.FileRoot(key), keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil))
	r := mustOpen(t, w.st, to)
	p, err := r.RotateRoot(t.Context())
	if err != nil || !strings.Contains(p.Advice, key) {
		t.Fatalf("%+v %v", p, err)
	}
	alone := mustOpen(t, w.st, keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil))
	if err := errors.Join(w.whole(r), w.whole(mustOpen(t, w.st, to)), w.whole(alone)); err != nil {
		t.Error(err)
	}
	// From one service to the next.
	next := mustOpen(t, w.st, keyring.WrappedRoot(path, &fakeKMS{name: "kms:2"}, []keyring.KMS{&fakeKMS{name: "kms:1"}}))
	if _, err := next.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.whole(mustOpen(t, w.st, keyring.WrappedRoot(path, &fakeKMS{name: "kms:2"}, nil))); err != nil {
		t.Error(err)
	}
	if _, err := keyring.Open(t.Context(), w.st, keyring.WrappedRoot(path, &fakeKMS{name: "kms:1"}, nil)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the service that was left: %v", err)
	}
}

func TestWhatCannotChange(t *testing.T) {
	st := memory.New()
	r := open(t, st) // a key given by the program
	for name, err := range map[string]error{
		"rotate": second(r.RotateRoot(t.Context())),
		"shred":  second(r.Shred(t.Context(), keyring.ShredRequest{App: "a", Tenant: "t", Reason: "r"})),
	} {
		if !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lazy, err := keyring.New(root(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"rotate": second(lazy.RotateRoot(t.Context())), "progress": second(lazy.Progress(t.Context())), "export": second(lazy.Export(t.Context())),
		"shred": second(lazy.Shred(t.Context(), keyring.ShredRequest{App: "a", Tenant: "t", Reason: "r"})), "resume": lazy.ResumeShreds(t.Context()),
	} {
		if !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s without a store: %v", name, err)
		}
	}
	if p, err := r.Resume(t.Context()); err != nil || p.Phase != keyring.PhaseIdle {
		t.Errorf("nothing to go on with: %+v %v", p, err)
	}
}

// Whoever writes to the database must not be able to hand the server a next root key, or an older epoch.
func TestAChangedRecordOfTheRootKeyIsFound(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 1)
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	if _, err := r.RotateRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	var honest driver.RootRow
	_ = w.st.View(t.Context(), func(tx driver.Tx) (err error) { honest, err = tx.Root(t.Context()); return err })
	for name, change := range map[string]func(*driver.RootRow){
		"epoch":  func(row *driver.RootRow) { row.Epoch-- },
		"direct": func(row *driver.RootRow) { row.Direct = true },
		"check":  func(row *driver.RootRow) { row.Check[0] ^= 1 },
	} {
		row := honest
		row.Check = append([]byte(nil), row.Check...)
		change(&row)
		_ = w.st.Update(t.Context(), func(tx driver.Tx) error { return tx.PutRoot(t.Context(), row) })
		if _, err := keyring.Open(t.Context(), w.st, keyring.FileRoot(path)); !errors.Is(err, base.ErrTampered) {
			t.Errorf("%s: %v", name, err)
		}
	}
	forged := honest
	forged.NextID, forged.Next = "root_0123456789abcdef", make([]byte, 60)
	_ = w.st.Update(t.Context(), func(tx driver.Tx) error { return tx.PutRoot(t.Context(), forged) })
	if _, err := r.Resume(t.Context()); !errors.Is(err, base.ErrTampered) {
		t.Errorf("a forged next root key: %v", err)
	}
}

func TestATenantsKeyChanges(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	other := open(t, st)
	old := seal(t, r, st, place, "old")
	rotate := func() (id string) {
		t.Helper()
		if err := st.Update(t.Context(), func(tx driver.Tx) (err error) { id, err = r.RotateTenant(t.Context(), tx, "a", "t"); return err }); err != nil {
			t.Fatal(err)
		}
		return id
	}
	stale := func(id string) (is bool) {
		t.Helper()
		if err := st.View(t.Context(), func(tx driver.Tx) (err error) { is, err = r.Stale(t.Context(), tx, "a", "t", id); return err }); err != nil {
			t.Fatal(err)
		}
		return is
	}
	if stale(old.KeyID) {
		t.Error("the only key is stale")
	}
	id := rotate()
	if !stale(old.KeyID) || stale(id) {
		t.Error("the new key is not the one in use")
	}
	for _, ring := range []*keyring.Ring{r, other} {
		if box := seal(t, ring, st, place, "new"); box.KeyID != id {
			t.Errorf("sealed under %s, the key in use is %s", box.KeyID, id)
		}
		if got, err := unseal(ring, st, place, old); err != nil || got != "old" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := st.Update(t.Context(), func(tx driver.Tx) error { _, err := r.RotateTenant(t.Context(), tx, "a", ""); return err }); err == nil {
		t.Error("no tenant")
	}
}

func TestUnusedKeysAreDropped(t *testing.T) {
	now := int64(1_000_000)
	st := clockStore{memory.New(), &now}
	r := open(t, st, keyring.WithKeepReplaced(time.Minute)) // an hour is the least
	first := seal(t, r, st, place, "old")
	now += time.Hour.Microseconds()
	var second string
	_ = st.Update(t.Context(), func(tx driver.Tx) (err error) { second, err = r.RotateTenant(t.Context(), tx, "a", "t"); return err })
	drop := func(used ...string) (dropped []string) {
		t.Helper()
		if err := st.Update(t.Context(), func(tx driver.Tx) (err error) {
			dropped, err = r.DropUnused(t.Context(), tx, "a", "t", func(id string) (bool, error) { return strings.Contains(strings.Join(used, " "), id), nil })
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return dropped
	}
	if got := drop(); got != nil {
		t.Errorf("at once: %v", got)
	}
	now += time.Hour.Microseconds()
	if got := drop(first.KeyID); got != nil {
		t.Errorf("in use: %v", got)
	}
	_ = st.Update(t.Context(), func(tx driver.Tx) error {
		return tx.AddSecretVersion(t.Context(), driver.SecretVersion{App: "a", Tenant: "t", Name: "K", Version: 1, KeyID: first.KeyID})
	})
	if got := drop(); got != nil {
		t.Errorf("a secret names it: %v", got)
	}
	_ = st.Update(t.Context(), func(tx driver.Tx) error { return tx.DeleteSecretVersions(t.Context(), "a", "t", "K") })
	if got := drop(); len(got) != 1 || got[0] != first.KeyID {
		t.Errorf("%v", got)
	}
	if got, err := unseal(r, st, place, first); !errors.Is(err, base.ErrDecryptionFailed) || errors.Is(err, keyring.ErrDestroyed) {
		t.Errorf("%q, %v", got, err)
	}
	if box := seal(t, r, st, place, "new"); box.KeyID != second {
		t.Error("the key in use was dropped")
	}
}

// clockStore is a store whose transactions happen when the test says.
type clockStore struct {
	*memory.Store
	now *int64
}

type clockTx struct {
	driver.Tx
	now int64
}

func (c clockTx) Now() int64 { return c.now }

func (s clockStore) Update(ctx context.Context, fn func(driver.Tx) error) error {
	return s.Store.Update(ctx, func(tx driver.Tx) error { return fn(clockTx{tx, *s.now}) })
}

func TestAMarkNamesItsKey(t *testing.T) {
	st := memory.New()
	r := open(t, st)
	var mark []byte
	_ = st.Update(t.Context(), func(tx driver.Tx) (err error) { mark, err = r.Mark(t.Context(), tx, place); return err })
	if got := keyring.MarkKeyID(mark); got != seal(t, r, st, place, "v").KeyID {
		t.Errorf("%q", got)
	}
	for _, bad := range [][]byte{nil, mark[:31], mark[1:], append([]byte{1}, mark...)} {
		if got := keyring.MarkKeyID(bad); got != "" {
			t.Errorf("%q", got)
		}
	}
}

// Two processes that share the key file change the root key at the same time: nothing may be lost between them.
func TestTwoChangesAtOnce(t *testing.T) {
	path := keyPath(t, nil)
	w := newWorld(t, keyring.FileRoot(path), 20)
	var wg sync.WaitGroup
	for range 4 {
		r := mustOpen(t, w.st, keyring.FileRoot(path))
		wg.Go(func() {
			for range 5 {
				if _, err := r.RotateRoot(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	r := mustOpen(t, w.st, keyring.FileRoot(path))
	p, err := r.Progress(t.Context())
	if err != nil || p.Phase != keyring.PhaseIdle || p.Rewrapped != 20 || p.Epoch < 6 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := w.whole(r); err != nil {
		t.Error(err)
	}
}

// A change that began where the next root key is can be gone on with elsewhere, but not ended there.
func TestAChangeEndsWhereItsKeyIs(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	here, there := keyPath(t, key), keyPath(t, key)
	w := newWorld(t, keyring.FileRoot(here), 3)
	f := &faults{at: 3}
	one := mustOpen(t, faultStore{w.st, f}, faultRotator{keyring.FileRoot(here), f})
	f.n.Store(0)
	if _, err := one.RotateRoot(t.Context()); !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	two := mustOpen(t, w.st, keyring.FileRoot(there))
	if _, err := two.Resume(t.Context()); !fault.Is(err, fault.Unavailable) || fault.From(err).Hint == "" {
		t.Errorf("%v", err)
	}
	if err := errors.Join(w.whole(two), w.whole(mustOpen(t, w.st, keyring.FileRoot(here)))); err != nil {
		t.Error(err)
	}
	f.at = 0
	if _, err := one.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	if err := w.whole(mustOpen(t, w.st, keyring.FileRoot(here))); err != nil {
		t.Error(err)
	}
}
