package news

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/db"
)

// pause is how long it waits after a reading that failed.
const pause = time.Second

// Follow calls reload now, and after each message for the topic that somebody else than own sent, until ctx ends. Messages
// that come meanwhile are one. A failure is told, and reading is tried again after a second.
func Follow(ctx context.Context, d *db.DB, topic, own string, reload func(context.Context) error, failed func(error)) {
	wake := make(chan struct{}, 1)
	wake <- struct{}{} // what was written between the first reading and now
	stop := d.Listen(topic, func(m db.Message) {
		if m.Body == own && !m.Resync {
			return
		}
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
		}
		for err := reload(ctx); err != nil && ctx.Err() == nil; err = reload(ctx) {
			failed(err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}
