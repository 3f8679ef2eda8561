package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// The entry that ends a restore: its action, and what its details are called.
const (
	ActionRestore = "backup.restore"
	DetailSHA256  = "sha256" // of the backup
	DetailEpoch   = "epoch"  // that begins with the restore
	DetailHeads   = "heads"  // see [Heads]
)

// Restored says that epochs of a record came from a backup, and are as they were then: each of their chains ends where the entry
// of the restore, which is verified like any other, says.
type Restored struct {
	Epochs int64     `json:"epochs"` // up to this one
	Chains int       `json:"chains"`
	At     time.Time `json:"at"`     // of the restore
	SHA256 string    `json:"sha256"` // of the backup
}

// Heads is a digest of where every chain of the record's epochs up to one ends: number and hash of its last entry. A restore writes
// it into the record of the epoch that begins. The head file of the former epochs stayed where the backup was made, and this takes
// its place: as long as the digest fits, nothing was cut off, added or changed since.
func Heads(ctx context.Context, tx driver.Tx, epoch int64) (digest string, chains int, err error) {
	all, err := tx.AuditChainsEverywhere(ctx)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	h.Write(canon.Text(nil, "hayward/backup/heads/1"))
	for _, c := range all { // ordered by its fields
		if c.Epoch > epoch {
			continue
		}
		last, err := tx.AuditTail(ctx, c)
		if err != nil {
			return "", 0, err
		}
		b := canon.Text(canon.Text(canon.Text(nil, c.App), c.Tenant), c.Node)
		h.Write(canon.Text(canon.Int(canon.Int(b, c.Epoch), last.Seq), string(last.Hash)))
		chains++
	}
	return hex.EncodeToString(h.Sum(nil)), chains, nil
}
