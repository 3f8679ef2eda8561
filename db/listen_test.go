package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
)

func TestListenersHearOfAWriteBeforeItReturns(t *testing.T) {
	dbtest.Each(t, testListenersHearOfAWriteBeforeItReturns)
}

func testListenersHearOfAWriteBeforeItReturns(t *testing.T, d *db.DB) {
	var heard []string
	hear := func(who string) func(db.Message) {
		return func(m db.Message) { heard = append(heard, fmt.Sprint(who, " ", m.Body, m.Resync)) }
	}
	stop := d.Listen("hay", hear("one"))
	d.Listen("straw", hear("two"))
	write := func(body string, err error) {
		_ = d.Update(t.Context(), func(tx *db.Tx) error {
			tx.Notify("hay", body)
			if len(heard) > 2 {
				t.Error("it was told before the commit")
			}
			return err
		})
	}
	write("cut", nil)
	write(strings.Repeat("x", db.MaxMessage+1), nil)
	write("lost", errors.New("boom"))
	stop()
	stop()
	write("dry", nil)
	if got := fmt.Sprint(heard); got != "[one cutfalse one true]" {
		t.Fatalf("heard %s", got)
	}
}
