package limit

import (
	"math/bits"
	"time"
)

// nameState is what is remembered about the failures of one name.
type nameState struct {
	fails uint32
	until int64 // strange addresses are refused before this
	last  int64
}

// beginName counts the attempt against its name and returns how long a strange address must wait, 0 for not at all.
func (t *Login) beginName(a *Attempt) time.Duration {
	now := t.l.clock()
	key := t.l.Key("name", a.app, a.name).fine
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state(now, key)
	if now < s.until && !t.isKnown(now, a) {
		return time.Duration(s.until - now)
	}
	s.fails++
	s.last = now
	if over := int(s.fails) - t.o.Free; over > 0 {
		s.until = now + int64(t.delay(over))
	}
	t.put(key, s)
	return 0
}

// delay is 1 s, 2 s, 4 s ... up to MaxDelay.
func (t *Login) delay(over int) time.Duration {
	if over-1 >= bits.Len64(uint64(t.o.MaxDelay/time.Second)) {
		return t.o.MaxDelay
	}
	return min(t.o.MaxDelay, time.Second<<(over-1))
}

// state returns the name's count, fresh if it has been quiet for long enough.
func (t *Login) state(now int64, key uint64) nameState {
	s, ok := t.names[key]
	if !ok && len(t.names) >= t.o.MaxNames {
		t.forget(now)
		if len(t.names) >= t.o.MaxNames {
			s = t.spare[key%uint64(len(t.spare))]
		}
	}
	if s.last != 0 && now-s.last >= int64(t.o.Forget) {
		return nameState{}
	}
	return s
}

func (t *Login) put(key uint64, s nameState) {
	if _, ok := t.names[key]; !ok && len(t.names) >= t.o.MaxNames {
		t.spare[key%uint64(len(t.spare))] = s
		return
	}
	t.names[key] = s
}

// forget drops names that have been quiet; live counts are never dropped.
func (t *Login) forget(now int64) {
	for k, s := range t.names {
		if now-s.last >= int64(t.o.Forget) {
			delete(t.names, k)
		}
	}
}

func (t *Login) isKnown(now int64, a *Attempt) bool {
	end, ok := t.known[t.l.KeyIP("known", a.ip, a.app, a.name).fine]
	return ok && now < end
}

func (t *Login) remember(now int64, a *Attempt) {
	if len(t.known) >= t.o.MaxNames {
		for k, end := range t.known {
			if end <= now {
				delete(t.known, k)
			}
		}
	}
	if len(t.known) < t.o.MaxNames {
		t.known[t.l.KeyIP("known", a.ip, a.app, a.name).fine] = now + int64(t.o.Known)
	}
}

// giveBack takes one attempt off a name's count.
func (t *Login) giveBack(key uint64) {
	s, ok := t.names[key]
	if !ok || s.fails == 0 {
		return
	}
	s.fails--
	if int(s.fails) <= t.o.Free {
		s.until = 0
	}
	t.names[key] = s
}
