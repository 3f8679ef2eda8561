package host

import (
	"context"
	"io"
	"strconv"

	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/backup"
	"github.com/haywardhq/hayward/vault/scope"
)

// Backups writes backups of the data for operators, while the server serves. They are encrypted and hold no keys.
type Backups struct {
	Gate  audit.Gate
	House backup.House
}

// WriteBackup writes a backup to w. What was written before an error is no backup.
func (b *Backups) WriteBackup(ctx context.Context, w io.Writer) error {
	c, err := scope.Lenient(ctx)
	if err != nil {
		return err
	}
	entry, err := b.Gate.Enter(ctx, audit.Request{Caller: c, Action: "backup.write", Resource: "backup", Operator: true})
	if err != nil {
		return err
	}
	s, err := backup.Write(ctx, b.House, w)
	if err == nil {
		entry.Note(audit.Detail{Key: "rows", Value: strconv.FormatInt(s.Rows, 10)}, audit.Detail{Key: "sha256", Value: s.SHA256})
	}
	return finish(ctx, entry, err)
}
