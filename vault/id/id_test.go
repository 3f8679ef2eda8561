package id_test

import (
	"slices"
	"testing"

	"github.com/haywardhq/hayward/vault/id"
)

func TestIdsSortByTheTimeTheyWereMade(t *testing.T) {
	var ids []id.ID
	for range 1000 {
		ids = append(ids, id.New(id.Secret))
	}
	if !slices.IsSorted(ids) {
		t.Fatal("ids made one after the other are out of order")
	}
	if len(slices.Compact(ids)) != 1000 {
		t.Fatal("an id was made twice")
	}
}

func TestParse(t *testing.T) {
	good := id.New(id.Audit)
	if got, err := id.Parse(id.Audit, good.String()); err != nil || got != good || got.Prefix() != id.Audit {
		t.Fatalf("%v %v", got, err)
	}
	for _, bad := range []string{"", "sec", "sec_", "sec_zz", good.String(), string(id.New(id.Secret)) + "0", string(id.New(id.Secret)) + "\n", "SEC_" + string(good[7:])} {
		if _, err := id.Parse(id.Secret, bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("sec_" + string(id.New(id.Secret)))
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := id.Parse(id.Secret, s); err == nil && (got.String() != s || got.Prefix() != id.Secret) {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
