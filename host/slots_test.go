package host

import (
	"sync"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/sealed"
)

func TestSlots(t *testing.T) {
	s := newSlots(3, 2)
	take := func(tenant string) func() {
		t.Helper()
		give, err := s.take("a", tenant)
		if err != nil {
			t.Fatal(err)
		}
		return give
	}
	one, two := take("t"), take("t")
	_, err := s.take("a", "t")
	later, ok := err.(interface{ RetryAfterSeconds() int })
	if !fault.Is(err, fault.Limited) || !ok || later.RetryAfterSeconds() < 1 {
		t.Errorf("a third run of one tenant: %v", err)
	}
	three := take("u")
	if _, err := s.take("a", "v"); !fault.Is(err, fault.Limited) {
		t.Errorf("a fourth run of the process: %v", err)
	}
	one()
	take("v")()
	two()
	three()
	if s.total != 0 || len(s.tenants) != 0 {
		t.Errorf("%d runs of %d tenants are left", s.total, len(s.tenants))
	}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for range 100 {
				if give, err := s.take("a", "t"); err == nil {
					give()
				}
			}
		})
	}
	wg.Wait()
	if s.total != 0 {
		t.Errorf("%d runs are left", s.total)
	}
}

// An error of a run loses the secrets in every word it shows, and keeps its kind, its code and its list.
func TestErrorsLoseSecrets(t *testing.T) {
	const vault, own = "sk-from-the-vault", "sk-of-the-caller"
	w := newWords(map[string]sealed.Value{"K": sealed.NewString(own)})
	w.secrets.Add(sealed.NewString(vault))
	leaky := fault.Wrap(fault.Failed, fault.New(fault.Invalid, "inner "+vault), "it says %s and %s", vault, own).WithHint("look at %s", vault).WithCode("Code").
		At(fault.Where{Component: vault, Socket: vault + ".x", Field: vault, Type: vault, Position: fault.Position{File: vault, Line: 3}})
	f := fault.From(w.error(leaky))
	if f.Kind != fault.Failed || f.Code != "Code" || f.Message != "it says [redacted] and "+own || f.Hint != "look at [redacted]" || f.Cause != nil {
		t.Errorf("got %+v", f)
	}
	if at := f.Where; at.Line != 3 || at.Component+at.Socket+at.Field+at.Type+at.File != "[redacted][redacted].x[redacted][redacted][redacted]" {
		t.Errorf("the place is %+v", at)
	}
	many, ok := w.error(pipeline.Problems{leaky, fault.New(fault.Invalid, "other")}).(pipeline.Problems)
	if !ok || len(many) != 2 || many[0].Message != f.Message || many[1].Message != "other" {
		t.Errorf("got %v", many)
	}
	inside := fault.From(w.error(fault.Wrap(fault.Internal, fault.New(fault.Failed, vault+own), "broken")))
	if inside.Cause == nil || inside.Cause.Error() != "[redacted][redacted]" {
		t.Errorf("what is left for the log is %v", inside.Cause)
	}
}
