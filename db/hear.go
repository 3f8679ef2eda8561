package db

import (
	"context"
	"strings"
	"time"

	"github.com/haywardhq/hayward/db/internal/pg"
)

// maxPayload is the longest payload of a NOTIFY, less one (https://www.postgresql.org/docs/current/sql-notify.html).
const maxPayload = 7999

// maxNotes is how many messages a commit sends; of more, listeners of each topic hear a Resync.
const maxNotes = 500

// payloads writes messages for other processes: "origin topic\n=body", or "origin topic\n!" for a Resync. What is said
// twice in a commit is sent once.
func payloads(origin string, notes []note) (out []string) {
	seen := map[string]bool{}
	for _, n := range notes {
		p := origin + " " + n.topic + "\n=" + n.m.Body
		// The server counts bytes after U+0000 and U+0001 became two.
		if n.m.Resync || len(notes) > maxNotes || len(p)+strings.Count(p, "\x00")+strings.Count(p, "\x01") > maxPayload {
			p = origin + " " + n.topic + "\n!"
		}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

// heardPayload tells the listeners what another process said. A message that cannot be read may be about anything.
func (e *postgres) heardPayload(_, payload string) {
	origin, rest, ok := strings.Cut(pg.Text(payload), " ")
	if origin == e.origin {
		return
	}
	topic, body, ok2 := strings.Cut(rest, "\n")
	switch {
	case !ok || !ok2 || body == "":
		e.listeners.tellAll(Message{Resync: true})
	case body[0] == '=':
		e.listeners.tell(topic, Message{Body: body[1:]})
	default:
		e.listeners.tell(topic, Message{Resync: true})
	}
}

// listen begins to hear other processes, on a connection of its own.
func (e *postgres) listen(ctx context.Context) error {
	c, err := e.hearing(ctx)
	if err != nil {
		return err
	}
	ctx, e.stop = context.WithCancel(context.Background())
	e.heard = make(chan struct{})
	go e.hear(ctx, c)
	return nil
}

func (e *postgres) hearing(ctx context.Context) (*pg.Conn, error) {
	conf := e.conf
	conf.Name += " (listening)"
	conf.OnNotification = e.heardPayload
	c, err := conf.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := c.Simple(ctx, "LISTEN "+e.channel); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// How long the listening connection may be silent before it is asked, and how long it may take to answer.
const silence, answer = 5 * time.Second, 5 * time.Second

// hear waits for messages. After a connection that broke, listeners are told that they may have missed some: first when
// that is noticed, so that nobody trusts what may be old while it cannot be told, and again when others are heard again.
func (e *postgres) hear(ctx context.Context, c *pg.Conn) {
	defer close(e.heard)
	for {
		waitForMessages(ctx, c)
		_ = c.Close()
		if ctx.Err() != nil {
			return
		}
		e.listeners.tellAll(Message{Resync: true})
		if c = e.hearAgain(ctx); c == nil {
			return
		}
		e.listeners.tellAll(Message{Resync: true})
	}
}

// waitForMessages returns when the connection is of no use any more, or ctx ends.
func waitForMessages(ctx context.Context, c *pg.Conn) {
	for c.Alive() && ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, silence)
		err := c.Wait(wait)
		quiet := wait.Err() != nil
		cancel()
		switch {
		case err == nil:
		case !quiet || ctx.Err() != nil || !c.Alive():
			return
		default:
			ping, cancel := context.WithTimeout(ctx, answer)
			err := c.Ping(ping)
			if cancel(); err != nil {
				return
			}
		}
	}
}

// hearAgain tries until it has a connection; nil when ctx ends.
func (e *postgres) hearAgain(ctx context.Context) *pg.Conn {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		if c, err := e.hearing(ctx); err == nil {
			return c
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}
