package journal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/db/dbtest"
	"github.com/haywardhq/hayward/pipeline/docstore"
	"github.com/haywardhq/hayward/pipeline/docstore/docstoretest"
	"github.com/haywardhq/hayward/pipeline/docstore/memory"
	"github.com/haywardhq/hayward/pipeline/docstore/memory/journal"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

func ref(index string) docstore.Ref {
	return docstore.Ref{Type: memory.TypeName, Params: &value.Dict{}, Index: index, Component: "c"}
}

func open(t *testing.T, m *memory.Manager, tenant, index string) docstore.Store {
	t.Helper()
	s, err := m.Open(t.Context(), "app", tenant, "p", ref(index))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuite(t *testing.T) {
	d := dbtest.New(t, journal.Schema())
	n := 0
	docstoretest.Run(t, docstoretest.Harness{
		Open: func(t *testing.T) docstore.Store {
			n++
			return open(t, memory.NewManager(journal.New(d), memory.Options{}), "acme", fmt.Sprint(n))
		},
		Reopen: func(t *testing.T, _ docstore.Store) docstore.Store {
			return open(t, memory.NewManager(journal.New(d), memory.Options{}), "acme", fmt.Sprint(n))
		},
	})
}

// With room for one index only, others are forgotten and read back.
func TestForgottenIndexesComeBack(t *testing.T) {
	m := memory.NewManager(journal.New(dbtest.New(t, journal.Schema())), memory.Options{MaxOpen: 1})
	for i := range 5 {
		s := open(t, m, "acme", fmt.Sprint(i))
		if _, err := s.WriteDocuments(t.Context(), []*document.Document{document.Text(fmt.Sprint("text ", i))}, docstore.PolicyFail); err != nil {
			t.Fatal(err)
		}
		if m.OpenIndexes() > 1 {
			t.Errorf("%d indexes are open", m.OpenIndexes())
		}
	}
	for i := range 5 {
		docs, err := open(t, m, "acme", fmt.Sprint(i)).FilterDocuments(t.Context(), nil)
		if err != nil || len(docs) != 1 || *docs[0].Content != fmt.Sprint("text ", i) {
			t.Errorf("index %d: %d documents, %v", i, len(docs), err)
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	j := journal.New(dbtest.New(t, journal.Schema()))
	m := memory.NewManager(j, memory.Options{})
	for _, tenant := range []string{"acme", "globex"} {
		if _, err := open(t, m, tenant, "x").WriteDocuments(t.Context(), []*document.Document{document.Text(tenant)}, docstore.PolicyFail); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.DropTenant(t.Context(), "app", "acme"); err != nil {
		t.Fatal(err)
	}
	m.Forget("app", "acme")
	for tenant, want := range map[string]int{"acme": 0, "globex": 1} {
		if n, err := open(t, m, tenant, "x").CountDocuments(t.Context()); err != nil || n != want {
			t.Errorf("%s has %d documents (%v), want %d", tenant, n, err, want)
		}
	}
}

// A change that cannot be kept is not made.
func TestFailedCommitChangesNothing(t *testing.T) {
	boom := errors.New("disk full")
	m := memory.NewManager(broken{boom}, memory.Options{})
	s := open(t, m, "acme", "x")
	if _, err := s.WriteDocuments(t.Context(), []*document.Document{document.Text("a")}, docstore.PolicyFail); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if n, err := s.CountDocuments(t.Context()); err != nil || n != 0 {
		t.Errorf("%d documents, %v", n, err)
	}
}

type broken struct{ err error }

func (broken) Load(context.Context, memory.Key, func(memory.Record) error) (memory.State, error) {
	return memory.State{}, nil
}
func (b broken) Commit(context.Context, memory.Key, memory.Change) error { return b.err }
