package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/fault"
)

func TestAWriteBesideItsCaller(t *testing.T) {
	dbtest.Each(t, testBeside, schema)
}

func testBeside(t *testing.T, d *db.DB) {
	start := func(fn func(*db.Tx) error) chan error {
		result := make(chan error, 2) // a second answer would stay in it
		d.StartRelaxed(context.Background(), fn, func(err error) { result <- err })
		return result
	}
	add := func(k string) func(*db.Tx) error {
		return func(tx *db.Tx) error { return insert(context.Background(), tx, k) }
	}
	boom := errors.New("boom")
	if err := <-start(add("a")); err != nil {
		t.Error(err)
	}
	if err := <-start(func(*db.Tx) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("a write that fails: %v", err)
	}
	if err := <-start(func(*db.Tx) error { panic("boom") }); !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "boom") {
		t.Errorf("a write that panics: %v", err)
	}

	// While somebody writes it waits, and its caller does not.
	held, release := make(chan struct{}), make(chan struct{})
	first := start(func(*db.Tx) error { close(held); <-release; return nil })
	<-held
	second := start(add("b"))
	select {
	case err := <-second:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	close(release)
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}

	// Inside a write it would wait for itself, whoever starts it and however.
	for name, write := range map[string]func(context.Context, func(*db.Tx) error) error{
		"in its caller's goroutine": d.Update,
		"beside":                    func(_ context.Context, fn func(*db.Tx) error) error { return <-start(fn) },
	} {
		err := write(context.Background(), func(*db.Tx) error { return <-start(add("c")) })
		if !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "inside another write") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if have := keys(t, d); have != "a b" {
		t.Errorf("stored: %s", have)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	late := start(add("d"))
	if err := <-late; !fault.Is(err, fault.Unavailable) {
		t.Errorf("after the end: %v", err)
	}
	if len(late) != 0 {
		t.Error("it was answered twice")
	}
}
