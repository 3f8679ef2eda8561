package session_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/session"
	"github.com/haywardhq/hayward/pipeline/chat"
)

func open(t *testing.T, l session.Limits, now func() time.Time) *session.Store {
	t.Helper()
	d, err := db.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "s.db"), db.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Migrate(t.Context(), session.Schema()); err != nil {
		t.Fatal(err)
	}
	return session.New(d, l)
}

func texts(t *testing.T, s *session.Store, app, tenant, user, id string) string {
	t.Helper()
	list, err := s.For(app, tenant, user).Messages(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range list {
		text, _ := m.Text()
		out = append(out, string(m.Role)+":"+text)
	}
	return strings.Join(out, " ")
}

func TestAConversationIsItsOwners(t *testing.T) {
	s := open(t, session.Limits{}, nil)
	ctx := context.Background()
	ann := s.For("app", "acme", "ann")
	if err := ann.Append(ctx, "s-1", chat.FromUser("hay?"), chat.FromAssistant(ptr("yes, hay"))); err != nil {
		t.Fatal(err)
	}
	if err := ann.Append(ctx, "s-1", chat.FromUser("more ü")); err != nil {
		t.Fatal(err)
	}
	if got := texts(t, s, "app", "acme", "ann", "s-1"); got != "user:hay? assistant:yes, hay user:more ü" {
		t.Error(got)
	}
	for _, other := range [][4]string{{"app", "acme", "bob", "s-1"}, {"app", "beta", "ann", "s-1"}, {"other", "acme", "ann", "s-1"}, {"app", "acme", "ann", "s-2"}} {
		if got := texts(t, s, other[0], other[1], other[2], other[3]); got != "" {
			t.Errorf("%v reads %q", other, got)
		}
	}
	if n, err := s.Forget(ctx, "app", "acme", "bob", "s-1"); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := s.Forget(ctx, "app", "acme", "ann", "s-1"); n != 3 || err != nil {
		t.Error(n, err)
	}
	if got := texts(t, s, "app", "acme", "ann", "s-1"); got != "" {
		t.Error(got)
	}
}

func ptr(s string) *string { return &s }

func TestASessionIsBounded(t *testing.T) {
	s := open(t, session.Limits{Messages: 3, Bytes: 2000}, nil)
	ann := s.For("app", "acme", "ann")
	if err := ann.Append(t.Context(), "s", chat.FromUser("1"), chat.FromUser("2")); err != nil {
		t.Fatal(err)
	}
	if err := ann.Append(t.Context(), "s", chat.FromUser("3"), chat.FromUser("4")); !fault.Is(err, fault.TooLarge) {
		t.Errorf("%v", err)
	}
	if got := texts(t, s, "app", "acme", "ann", "s"); got != "user:1 user:2" {
		t.Errorf("half of it is kept: %s", got)
	}
	if err := ann.Append(t.Context(), "s", chat.FromUser(strings.Repeat("x", 2000))); !fault.Is(err, fault.TooLarge) {
		t.Errorf("%v", err)
	}
}

func TestOldMessagesAreForgotten(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	s := open(t, session.Limits{Age: time.Hour}, func() time.Time { return now })
	ann := s.For("app", "acme", "ann")
	for range 3 {
		if err := ann.Append(t.Context(), "s", chat.FromUser(now.UTC().Format("15:04"))); err != nil {
			t.Fatal(err)
		}
		now = now.Add(40 * time.Minute)
	}
	if got := texts(t, s, "app", "acme", "ann", "s"); got != "user:15:06" {
		t.Error(got)
	}
}

func TestBadNames(t *testing.T) {
	s := open(t, session.Limits{}, nil)
	for _, id := range []string{"", "a b", "../x", "ü", "-a", strings.Repeat("a", 129), "a\x00"} {
		if _, err := s.For("app", "acme", "ann").Messages(t.Context(), id); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, o := range [][3]string{{"", "t", "u"}, {"a", "", "u"}, {"a", "t", ""}} {
		if err := s.For(o[0], o[1], o[2]).Append(t.Context(), "s", chat.FromUser("x")); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", o, err)
		}
	}
}
