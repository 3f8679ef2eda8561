package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/haywardhq/hayward/server/api"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/backup"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// Report is what a verification found, with what is known of epochs that came from a backup.
type Report = api.AuditReport

// Verify checks every audit chain against the heads and the checkpoints kept outside the database. The files of epochs that came
// from a backup stayed where that was made; what the restore wrote down takes their place.
func (v *Vault) Verify(ctx context.Context) (Report, error) {
	heads, err := audit.ReadHeads(v.heads.Path())
	if err != nil {
		return Report{}, err
	}
	heads.Node = v.node
	logs, err := v.newestCheckpoints(ctx) // before the file is read: that goes on meanwhile
	if err != nil {
		return Report{}, err
	}
	held, err := audit.ReadHeld(v.journal.Path(), v.keys)
	if err != nil {
		return Report{}, err
	}
	out := Report{}
	if out.Report, err = audit.Verify(ctx, v.Store, &heads, v.Ring.MAC(macPurpose), held); err != nil {
		return out, err
	}
	restored, told, err := v.restored(ctx)
	if err != nil {
		return out, err
	}
	out.Problems = append(out.Problems, v.cutJournal(logs, held, restored.Epochs)...)
	switch {
	case told == "":
	case told == fits && !slices.ContainsFunc(out.Problems, func(p audit.Problem) bool { return p.App == restoredApp }):
		out.Problems = slices.DeleteFunc(out.Problems, func(p audit.Problem) bool { return p.Epoch <= restored.Epochs && p.File != "" })
		if !slices.ContainsFunc(out.Problems, func(p audit.Problem) bool { return p.Epoch <= restored.Epochs }) {
			out.Restored = &restored
		}
	default:
		out.Problems = append(out.Problems, audit.Problem{Node: v.node, Epoch: restored.Epochs,
			What: "the chains of the epochs that came from a backup do not end where they did when it was restored"})
	}
	return out, nil
}

func (v *Vault) newestCheckpoints(ctx context.Context) (rows []driver.AuditCheckpointRow, err error) {
	err = v.Store.View(ctx, func(tx driver.Tx) error {
		rows, err = tx.AuditLogsEverywhere(ctx)
		return err
	})
	return rows, err
}

// cutJournal finds logs of this server whose newest checkpoints are not in the checkpoint file: it was emptied, cut or put back. It
// is written right after the database, so that it may lack the newest one.
func (v *Vault) cutJournal(logs []driver.AuditCheckpointRow, held audit.Held, restored int64) (out []audit.Problem) {
	if held.Missing {
		return nil // that is said already
	}
	for _, row := range logs {
		if row.Node != v.node || row.Epoch <= restored {
			continue
		}
		var newest int64
		for _, c := range held.Checkpoints {
			if c.Node == row.Node && c.Epoch == row.Epoch {
				newest = max(newest, c.Number)
			}
		}
		if newest < row.Number-1 {
			out = append(out, audit.Problem{Node: row.Node, Epoch: row.Epoch, File: audit.CheckpointFile,
				What: fmt.Sprintf("the checkpoint file %s ends at checkpoint %d, and %d were made: it was emptied, cut, or an older one was put in its place",
					held.Path, newest, row.Number)})
		}
	}
	return out
}

// What the newest restore says about the chains that came with it.
const (
	fits = "they end where it says"
	not  = "they do not"
)

// restored looks for the entry that ended the newest restore. told is "" if there is none, or one of an early version that says
// nothing about the chains.
func (v *Vault) restored(ctx context.Context) (r backup.Restored, told string, err error) {
	err = v.Store.View(ctx, func(tx driver.Tx) error {
		rows, err := tx.ListAudit(ctx, restoredApp, driver.Operator, driver.AuditFilter{Action: backup.ActionRestore, Outcome: string(audit.OK), Limit: 1000})
		if err != nil {
			return err
		}
		var heads string
		for _, row := range rows {
			if d := details(row); row.Epoch-1 > r.Epochs && d[backup.DetailHeads] != "" && d[backup.DetailEpoch] == strconv.FormatInt(row.Epoch, 10) {
				r, heads = backup.Restored{Epochs: row.Epoch - 1, At: time.UnixMicro(row.At).UTC(), SHA256: d[backup.DetailSHA256]}, d[backup.DetailHeads]
			}
		}
		if heads == "" {
			return nil
		}
		now, chains, err := backup.Heads(ctx, tx, r.Epochs)
		if r.Chains, told = chains, not; now == heads {
			told = fits
		}
		return err
	})
	return r, told, err
}

func details(row driver.AuditRow) map[string]string {
	var list [][2]string
	out := map[string]string{}
	if json.Unmarshal([]byte(row.Details), &list) == nil {
		for _, d := range list {
			out[d[0]] = d[1]
		}
	}
	return out
}
