package db

import "sync"

// Message is what listeners of a topic hear.
type Message struct {
	Body string // as given to [Tx.Notify]; "" when Resync is set
	// Resync means that anything may have changed: messages may have been missed, or there were too many or one too long
	// to tell. A listener drops everything that it keeps.
	Resync bool
}

// MaxMessage is the longest body of a message, in bytes; of a longer one listeners hear a Resync.
const MaxMessage = 7000

// listeners are who wants to hear of what others wrote. The zero value is ready.
type listeners struct {
	mu   sync.RWMutex
	next int
	fns  map[string]map[int]func(Message)
}

// Listen has fn called with every message for a topic, of this process and, over PostgreSQL, of all others on the same
// database. Messages of this process come before the Update that sent them returns; others' as soon as they are committed,
// and after a lost connection a Resync. fn must be quick, must not use the database and must not panic; it may be called
// from several goroutines at once. stop ends it.
func (d *DB) Listen(topic string, fn func(Message)) (stop func()) {
	l := &d.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fns == nil {
		l.fns = map[string]map[int]func(Message){}
	}
	if l.fns[topic] == nil {
		l.fns[topic] = map[int]func(Message){}
	}
	n := l.next
	l.next++
	l.fns[topic][n] = fn
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.fns[topic], n)
	}
}

func (l *listeners) tell(topic string, m Message) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, fn := range l.fns[topic] {
		fn(m)
	}
}

func (l *listeners) tellAll(m Message) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, of := range l.fns {
		for _, fn := range of {
			fn(m)
		}
	}
}

// note is a message of a write that is not committed yet.
type note struct {
	topic string
	m     Message
	job   *job
}

// Notify tells the listeners of a topic once the transaction is on disk, the own process's before Update returns (see
// [DB.Listen]). It panics in a read transaction.
func (t *Tx) Notify(topic, body string) {
	m := Message{Body: body}
	if len(body) > MaxMessage {
		m = Message{Resync: true}
	}
	t.after.notes = append(t.after.notes, note{topic, m, t.job})
	t.after.add(nil, func() error { t.d.listeners.tell(topic, m); return nil }, t.job)
}
