package openbao

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// session keeps one token alive. The states of it:
//
//	none ── login ──▶ good ── two thirds of its life ──▶ renewed, or logged in anew if that does not help
//	                   │
//	                   └─ refused: is it the token? ──▶ logged in anew, once, and the request repeated
//
// A login costs the server something and may use up a secret id: logins come one at a time, and never in a row for requests
// that are refused for other reasons.
type session struct {
	w    *wire
	auth Auth

	ctx  context.Context // ends with the source
	stop context.CancelFunc
	gone sync.WaitGroup

	turn chan struct{} // who holds it may log in; so that waiting can be given up

	mu      sync.Mutex
	token   sealed.Value
	number  int // of the token: 1, 2, 3 ...
	ends    time.Time
	refused time.Time // when a fresh token was refused, too
	alive   bool      // the keeper runs
}

// grudge is how long a refusal is not blamed on the token after a fresh token was refused as well.
const grudge = 30 * time.Second

func newSession(w *wire, auth Auth) *session {
	s := &session{w: w, auth: auth, turn: make(chan struct{}, 1)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

func (s *session) close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.gone.Wait()
}

// current returns the token, logging in at the first call, and its number.
func (s *session) current(ctx context.Context) (sealed.Value, int, error) {
	s.mu.Lock()
	token, number := s.token, s.number
	good := !token.IsZero() && (s.ends.IsZero() || time.Now().Before(s.ends) || !s.auth.again())
	s.mu.Unlock()
	if good {
		return token, number, nil
	}
	return s.replace(ctx, number)
}

// replace logs in, unless somebody has done so since the token of that number.
func (s *session) replace(ctx context.Context, number int) (sealed.Value, int, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return sealed.Value{}, 0, s.w.unreached(ctx, ctx.Err())
	}
	s.mu.Lock()
	token, now := s.token, s.number
	s.mu.Unlock()
	if now != number {
		return token, now, nil
	}
	began := time.Now()
	got, err := s.auth.login(ctx, s.w)
	if err != nil {
		return sealed.Value{}, 0, err
	}
	return s.adopt(got, began)
}

// adopt takes a token over and has it kept alive.
func (s *session) adopt(got *authData, began time.Time) (sealed.Value, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return sealed.Value{}, 0, fault.New(fault.Unavailable, "the source %s is closed", s.w.o.Name).WithCode("SourceClosed")
	}
	if got.ClientToken != "" {
		s.token = sealed.NewString(got.ClientToken)
	} else if t, given := s.auth.(Token); given {
		s.token = t.Value
	}
	s.number++
	s.ends = time.Time{}
	if got.LeaseDuration > 0 {
		s.ends = began.Add(time.Duration(got.LeaseDuration) * time.Second)
		if !s.alive && (got.Renewable || s.auth.again()) {
			s.alive = true
			s.gone.Add(1)
			go s.keep(got.Renewable)
		}
	}
	return s.token, s.number, nil
}

// keep renews the token until the source is closed or nothing helps any more.
func (s *session) keep(renewable bool) {
	defer s.gone.Done()
	defer func() { s.mu.Lock(); s.alive = false; s.mu.Unlock() }()
	failures := 0
	for {
		s.mu.Lock()
		left, number := time.Until(s.ends), s.number
		s.mu.Unlock()
		if left <= 0 && !s.auth.again() {
			s.w.o.Logger.ErrorContext(s.ctx, "the token for a source of values has ended", "source", s.w.o.Name)
			return
		}
		if !pause(s.ctx, s.nap(left, failures)) {
			return
		}
		ok, stillRenewable := s.prolong(number, renewable)
		if renewable = stillRenewable; ok {
			failures = 0
			continue
		}
		if failures++; !renewable && !s.auth.again() {
			return
		}
	}
}

// longestNap bounds how long the keeper waits after failures: a secret id that is refused is not tried every second.
const longestNap = time.Minute

// nap is two thirds of what is left of the token's life; after failures longer each time, but within what is left.
func (s *session) nap(left time.Duration, failures int) time.Duration {
	if failures == 0 {
		return max(left*2/3, 10*time.Millisecond)
	}
	d := min(s.w.o.Backoff<<min(failures, 16), longestNap)
	if left > 0 {
		d = min(d, left/3)
	}
	return max(d, s.w.o.Backoff)
}

// prolong renews the token or, if that gives less than half of what a fresh one would, logs in.
func (s *session) prolong(number int, renewable bool) (done, stillRenewable bool) {
	ctx, cancel := context.WithTimeout(s.ctx, 2*s.w.o.Timeout)
	defer cancel()
	if renewable {
		if ok, enough := s.renew(ctx, number); enough || ok && !s.auth.again() {
			return true, true
		}
	}
	if !s.auth.again() {
		return false, renewable && time.Now().Before(s.end())
	}
	_, _, err := s.replace(ctx, number)
	if err != nil && s.ctx.Err() == nil {
		s.w.o.Logger.WarnContext(s.ctx, "a source of values could not renew its token; it tries again", "source", s.w.o.Name, "error", err)
	}
	return err == nil, true
}

func (s *session) end() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends
}

// renew asks for the token's whole life again. It reports whether the server did it, and whether that is enough: near the
// end of what a token may ever live, each renewal gives less.
func (s *session) renew(ctx context.Context, number int) (ok, enough bool) {
	s.mu.Lock()
	token, was := s.token, s.ends
	s.mu.Unlock()
	began := time.Now()
	a, err := s.w.ask(ctx, request{method: "POST", path: "auth/token/renew-self", token: token, body: []byte("{}")})
	if err != nil || a.status != 200 || a.Auth == nil || a.Auth.LeaseDuration <= 0 {
		return false, false
	}
	ends := began.Add(time.Duration(a.Auth.LeaseDuration) * time.Second)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.number != number {
		return true, true // replaced meanwhile
	}
	s.ends = ends
	return true, ends.Sub(was) > time.Until(was)/2
}

// do sends a request with the token. If it is refused because of the token, it is sent once more with a fresh one.
func (s *session) do(ctx context.Context, r request) (*answer, error) {
	var number int
	var err error
	if r.token, number, err = s.current(ctx); err != nil {
		return nil, err
	}
	a, err := s.w.ask(ctx, r)
	if err != nil || a.status != 403 || !s.blame(ctx, r.token) {
		return a, err
	}
	if r.token, _, err = s.replace(ctx, number); err != nil {
		return nil, fmt.Errorf("logging in anew after the token was refused: %w", err)
	}
	if a, err = s.w.ask(ctx, r); err == nil && a.status == 403 {
		s.mu.Lock()
		s.refused = time.Now()
		s.mu.Unlock()
	}
	return a, err
}

// blame asks whether a refusal is the token's fault: 403 means a path outside its policies as well as a token that has ended.
func (s *session) blame(ctx context.Context, token sealed.Value) bool {
	s.mu.Lock()
	recently := !s.refused.IsZero() && time.Since(s.refused) < grudge
	s.mu.Unlock()
	if recently || !s.auth.again() {
		return false
	}
	a, err := s.w.ask(ctx, request{method: "GET", path: "auth/token/lookup-self", token: token})
	return err == nil && a.status == 403
}
