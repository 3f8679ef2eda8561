package storetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/reveal"
	"github.com/haywardhq/hayward/vault/keyring"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// keyLife is a keyring over a store, and values whose keys change and end.
type keyLife struct {
	t     *testing.T
	p     keyring.Provider
	boxes map[string]keyring.Box
}

func newKeyLife(t *testing.T, st driver.Store) *keyLife {
	l := &keyLife{t, keyring.FileRoot(filepath.Join(t.TempDir(), "root.key")), map[string]keyring.Box{}}
	r := l.ring(st)
	for i := range 70 { // more than one batch
		l.seal(r, st, fmt.Sprint("t", i), "first")
	}
	return l
}

func (l *keyLife) ring(st driver.Store) *keyring.Ring {
	l.t.Helper()
	r, err := keyring.Open(l.t.Context(), st, l.p)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func lifePlace(tenant, name string) keyring.Place {
	return keyring.Place{Format: "test", App: "a", Tenant: tenant, Name: name, Version: 1}
}

func (l *keyLife) seal(r *keyring.Ring, st driver.Store, tenant, name string) {
	l.t.Helper()
	if err := st.Update(l.t.Context(), func(tx driver.Tx) error {
		b, err := r.Seal(l.t.Context(), tx, lifePlace(tenant, name), sealed.NewString(tenant+name))
		l.boxes[tenant+"/"+name] = b
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
}

func (l *keyLife) unseal(r *keyring.Ring, st driver.Store, tenant, name string) error {
	return st.View(context.Background(), func(tx driver.Tx) error {
		v, err := r.Unseal(context.Background(), tx, lifePlace(tenant, name), l.boxes[tenant+"/"+name])
		if err == nil && string(reveal.Inside(v)) != tenant+name {
			err = errors.New("another value")
		}
		return err
	})
}

// whole checks every first value: t1's are destroyed if gone says so.
func (l *keyLife) whole(r *keyring.Ring, st driver.Store, gone bool) {
	l.t.Helper()
	for i := range 70 {
		tenant := fmt.Sprint("t", i)
		err := l.unseal(r, st, tenant, "first")
		if destroyed := errors.Is(err, keyring.ErrDestroyed); destroyed != (gone && i == 1) || (err != nil && !destroyed) {
			l.t.Errorf("%s: %v", tenant, err)
		}
	}
}

// testKeyLife has keys change and end while values stay.
func testKeyLife(t *testing.T, h Harness) {
	st := h.Open(t)
	l := newKeyLife(t, st)
	r := l.ring(st)
	update(t, st, func(ctx context.Context, tx driver.Tx) error {
		_, err := r.RotateTenant(ctx, tx, "a", "t0")
		return err
	})
	l.seal(r, st, "t0", "second")
	if l.boxes["t0/first"].KeyID == l.boxes["t0/second"].KeyID {
		t.Error("a tenant's new values are under its former key")
	}
	p, err := r.RotateRoot(t.Context())
	if err != nil || p.Epoch != 2 || p.Rewrapped != 71 || p.Phase != keyring.PhaseIdle {
		t.Fatalf("%+v, %v", p, err)
	}
	l.whole(r, st, false)
	rec, err := r.Shred(t.Context(), keyring.ShredRequest{App: "a", Tenant: "t1", Reason: "r"})
	if err != nil || rec.EpochAfter != 3 || rec.Count != 1 {
		t.Fatalf("%+v, %v", rec, err)
	}
	if h.Reopen != nil {
		st = h.Reopen(t, st)
		r = l.ring(st)
	}
	l.whole(r, st, true)
	if err := l.unseal(r, st, "t0", "second"); err != nil {
		t.Error(err)
	}
	view(t, st, func(ctx context.Context, tx driver.Tx) error {
		public, err := r.PublicKeys(ctx, tx, keyring.ReceiptPurpose)
		list, err2 := r.Receipts(ctx, tx, "a", "", 10)
		if len(public) != 1 || len(list) != 1 || keyring.VerifyReceipt(public[0].Key, list[0]) != nil || list[0].ID != rec.ID {
			t.Errorf("%v %v", public, list)
		}
		return errors.Join(err, err2)
	})
}

// testKeyReplicas changes the root key from two replicas at once, while both read and make new keys, and then destroys a
// tenant whose key both have in memory.
func testKeyReplicas(t *testing.T, h Harness) {
	one, two := replicas(t, h)
	l := newKeyLife(t, one)
	rings := map[*keyring.Ring]driver.Store{l.ring(one): one, l.ring(two): two}
	stop := make(chan struct{})
	var busy, changing sync.WaitGroup
	n := 0
	for r, st := range rings {
		n++
		number := n
		busy.Go(func() { l.work(r, st, number, stop) })
		changing.Go(func() {
			for range 2 {
				if _, err := r.RotateRoot(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	changing.Wait()
	close(stop)
	busy.Wait()
	var shredder *keyring.Ring
	for r, st := range rings {
		l.whole(r, st, false)
		shredder = r
	}
	p, err := shredder.Progress(t.Context())
	if err != nil || p.Total != p.Rewrapped || p.Epoch < 3 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := shredder.Shred(t.Context(), keyring.ShredRequest{App: "a", Tenant: "t1", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	for r, st := range rings {
		deadline := time.Now().Add(5 * time.Second)
		for !errors.Is(l.unseal(r, st, "t1", "first"), keyring.ErrDestroyed) && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		l.whole(r, st, true)
	}
}

// work reads, and makes a key for a new tenant each time, until it is told to stop.
func (l *keyLife) work(r *keyring.Ring, st driver.Store, replica int, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		if err := l.unseal(r, st, fmt.Sprint("t", i%70), "first"); err != nil {
			l.t.Errorf("reading in the middle: %v", err)
			return
		}
		if err := st.Update(context.Background(), func(tx driver.Tx) error {
			_, err := r.Seal(context.Background(), tx, lifePlace(fmt.Sprint("new-", replica, "-", i), "v"), sealed.NewString("v"))
			return err
		}); err != nil {
			l.t.Errorf("writing in the middle: %v", err)
			return
		}
	}
}
