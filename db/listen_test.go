package db_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/db/dbtest"
)

func TestListenersHearOfAWriteBeforeItReturns(t *testing.T) {
	d := dbtest.New(t)
	var heard []string
	stop := d.Listen("hay", func(msg any) { heard = append(heard, fmt.Sprint("one ", msg)) })
	d.Listen("straw", func(msg any) { heard = append(heard, fmt.Sprint("two ", msg)) })
	write := func(msg string, err error) {
		_ = d.Update(t.Context(), func(tx *db.Tx) error {
			tx.AfterCommit(nil, func() error { d.Notify("hay", msg); return nil })
			return err
		})
	}
	write("cut", nil)
	write("lost", errors.New("boom"))
	stop()
	stop()
	write("dry", nil)
	if got := fmt.Sprint(heard); got != "[one cut]" {
		t.Fatalf("heard %s", got)
	}
}
