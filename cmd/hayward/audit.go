package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/config"
	"github.com/haywardhq/hayward/cmd/hayward/internal/demo"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/keyring"
)

func (c *cli) auditCommand() *cobra.Command {
	cmd := noun("audit", "Read and verify the record of who did what", c.auditList(), c.auditVerify(), c.auditExport(), c.auditCheckpoints(),
		c.auditKeys(), c.auditProve(), c.auditStatus(), c.auditSinks(),
		c.glassOpen(), c.glassClose(), c.glassList())
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) auditList() *cobra.Command {
	var q client.AuditQuery
	var from, to string
	cmd := &cobra.Command{Use: "list", Short: "List audit entries, newest first", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			var err error
			if q.From, err = timeFlag("from", from); err != nil {
				return err
			}
			if q.To, err = timeFlag("to", to); err != nil {
				return err
			}
			page, err := cl.Audit(ctx, q)
			if err != nil {
				return err
			}
			return c.print(page, func(w io.Writer) error { return showAudit(w, page) })
		})}
	f := cmd.Flags()
	f.StringVar(&q.Tenant, "tenant", "", "operators: one tenant's id")
	f.StringVar(&q.Scope, "scope", "", "operators: every (default) or operator, for the operator's own chain")
	f.StringVar(&q.User, "user", "", "id of who acted")
	f.StringVar(&q.Action, "action", "", "an action such as pipeline.run, or a prefix such as 'secret.*'")
	f.StringVar(&q.Key, "name", "", "name of the thing")
	f.StringVar(&q.Outcome, "outcome", "", "begin, ok, denied, not_found or error")
	f.StringVar(&q.RequestID, "request-id", "", "one request")
	f.StringVar(&from, "from", "", "from this time: 2026-11-22T10:00:00Z, or a duration ago such as 1h")
	f.StringVar(&to, "to", "", "up to this time")
	f.IntVar(&q.Limit, "limit", 100, "entries, 1000 at most")
	f.StringVar(&q.Cursor, "cursor", "", "where the page before ended")
	f.BoolVar(&q.Oldest, "oldest", false, "oldest first")
	return cmd
}

func timeFlag(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.New(fault.Invalid, "--%s: %q is neither a time nor a duration", name, text).WithHint("write for example 2026-11-22T10:00:00Z or 1h")
	}
	return t, nil
}

func showAudit(w io.Writer, page client.AuditPage) error {
	rows := make([][]string, len(page.Entries))
	for i, e := range page.Entries {
		details := make([]string, len(e.Details))
		for j, d := range e.Details {
			details[j] = d[0] + "=" + d[1]
		}
		rows[i] = []string{moment(e.Time), e.TenantID, e.UserID, e.Action, e.Key, e.Outcome, strings.Join(details, "; ")}
	}
	if err := tui.Table(w, []string{"TIME", "TENANT", "USER", "ACTION", "NAME", "OUTCOME", "DETAILS"}, rows); err != nil {
		return err
	}
	if page.Next != "" {
		return say(w, "there is more: --cursor %s", page.Next)
	}
	return nil
}

// dataFlags are the settings that say where the data of a server is and what opens it, for commands that work on the files while
// no server does.
type dataFlags struct{ fs *pflag.FlagSet }

func (d *dataFlags) add(fs *pflag.FlagSet) {
	config.AddDataFlags(fs)
	d.fs = fs
	fs.Lookup("data-dir").Usage = "data directory, or a demo's directory; no server may be using it (variable HAYWARD_DATA_DIR)"
}

// dir is the flag's own value.
func (d dataFlags) dir() string { return d.fs.Lookup("data-dir").Value.String() }

// settings returns where the data is and what opens it. A demo's directory stands for its data and its key.
func (d dataFlags) settings() (app.Settings, error) {
	s := app.Settings{Log: slog.New(slog.DiscardHandler)}
	if data, key, ok := demo.Layout(d.dir()); ok && d.dir() != "" && !d.fs.Changed("root-key-file") && !d.fs.Changed("root-key-from") {
		s.DataDir, s.Root = data, keyring.FileRoot(key, data)
		return s, nil
	}
	c, err := config.Load(d.fs, os.Environ(), serverVariable, tokenVariable)
	if err != nil {
		return s, err
	}
	s.Node = c.NodeName
	if s.DataDir, err = c.DataPath(); err != nil {
		return s, err
	}
	if s.Postgres, err = c.OpenDatabase(); err != nil {
		return s, err
	}
	return s, setRootKey(c, &s)
}

// open claims the data directory.
func (d dataFlags) open(ctx context.Context) (*app.Vault, error) {
	s, err := d.settings()
	if err != nil {
		return nil, err
	}
	if s.Postgres == nil {
		if err := mustBeData(s.DataDir); err != nil {
			return nil, err
		}
	}
	return app.OpenVault(ctx, s)
}

func (c *cli) auditVerify() *cobra.Command {
	var d dataFlags
	var off offlineFlags
	cmd := &cobra.Command{Use: "verify", Short: "Verify the record: on the server, on its files, or offline from an export", Args: cobra.NoArgs,
		Long: "Asks the server (operators), or with --data-dir reads the files of a server that is not running. With --offline or --proof no\n" +
			"server is needed: an export, or the proof of one entry, is checked with a checkpoint that was kept elsewhere and the public\n" +
			"key. An entry that was changed, moved, put in or taken out is named, and the exit code is 1.",
		RunE: c.do(func(cmd *cobra.Command, _ []string) error {
			if off.proof != "" {
				return c.verifyProof(off)
			}
			report, err := c.verifyAudit(cmd.Context(), d, off)
			if err != nil {
				return err
			}
			if err := c.print(report, func(w io.Writer) error { return showReport(w, report) }); err != nil {
				return err
			}
			if len(report.Problems) > 0 {
				return exitError{}
			}
			return nil
		})}
	d.add(cmd.Flags())
	off.add(cmd.Flags())
	cmd.MarkFlagsMutuallyExclusive("offline", "proof", "data-dir")
	return cmd
}

func (c *cli) verifyAudit(ctx context.Context, d dataFlags, off offlineFlags) (client.AuditReport, error) {
	if off.export != "" {
		return off.verify()
	}
	if d.dir() == "" {
		cl, err := c.connect()
		if err != nil {
			return client.AuditReport{}, err
		}
		return cl.VerifyAudit(ctx)
	}
	v, err := d.open(ctx)
	if err != nil {
		return client.AuditReport{}, err
	}
	defer v.Close()
	r, err := v.Verify(ctx)
	out := reportOf(r.Report)
	if r.Restored != nil {
		restored := client.AuditRestored(*r.Restored)
		out.Restored = &restored
	}
	return out, err
}

func reportOf(r audit.Report) client.AuditReport {
	out := client.AuditReport{Chains: r.Chains, Entries: r.Entries, Unfinished: r.Unfinished, Ahead: r.Ahead, Carried: r.Carried, Signed: r.Signed, Problems: []client.AuditProblem{}}
	for _, p := range r.Problems {
		out.Problems = append(out.Problems, client.AuditProblem(p))
	}
	return out
}

func showReport(w io.Writer, r client.AuditReport) error {
	for _, p := range r.Problems {
		chain := "the operator's chain"
		if p.App == "" {
			chain = "the log of checkpoints"
		}
		if p.Tenant != "" && !strings.HasPrefix(p.Tenant, "/") { // no tenant's id has a slash
			chain = "the chain of tenant " + p.Tenant
		}
		if err := say(w, "BAD: %s (node %s, epoch %d): %s", chain, p.Node, p.Epoch, p.What); err != nil {
			return err
		}
	}
	if o := r.Restored; o != nil {
		if err := say(w, "epochs up to %d came from a backup (sha256 %s) and are as they were when it was restored at %s: %s", o.Epochs, o.SHA256,
			moment(o.At), plural(o.Chains, "chain")); err != nil {
			return err
		}
	}
	word := "OK"
	if len(r.Problems) > 0 {
		word = "NOT OK"
	}
	more := ""
	if r.Carried > 0 {
		more = fmt.Sprintf(", %d only in the head file as a crash leaves them", r.Carried)
	}
	_, err := fmt.Fprintf(w, "%s: %s, %d entries, %d under a checkpoint, %d unfinished, %d ahead of the head file%s\n", word,
		plural(r.Chains, "chain"), r.Entries, r.Signed, r.Unfinished, r.Ahead, more)
	return err
}
