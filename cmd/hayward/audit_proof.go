package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
)

// offlineFlags name the files that a verification without a server reads.
type offlineFlags struct{ export, proof, checkpoint, key string }

func (o *offlineFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.export, "offline", "", "verify this export; no server is asked")
	fs.StringVar(&o.proof, "proof", "", "verify this proof of one entry; no server is asked")
	fs.StringVar(&o.checkpoint, "checkpoint", "", "checkpoints that were kept elsewhere; with --proof it is the one that the proof must be for")
	fs.StringVar(&o.key, "public-key", "", "public keys that checkpoints are signed with")
}

// maxSmall bounds the files of checkpoints, keys and proofs, in bytes.
const maxSmall = 64 << 20

func readSmall(path, what string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the %s cannot be read", what)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	switch {
	case err != nil:
		return "", fault.Wrap(fault.Invalid, err, "the %s cannot be read", what)
	case len(b) > maxSmall:
		return "", fault.New(fault.TooLarge, "%s is larger than %d bytes", path, maxSmall)
	}
	return string(b), nil
}

// trusted reads what the person at the keyboard trusts. An export can be older than it should be, so that it needs a
// checkpoint besides the key; a proof brings its own, and only its signature must be one that is trusted.
func (o offlineFlags) trusted() ([]audit.Checkpoint, audit.PublicKeys, error) {
	if o.key == "" || o.checkpoint == "" && o.proof == "" {
		return nil, audit.PublicKeys{}, fault.New(fault.Invalid, "verifying offline needs --checkpoint and --public-key").
			WithHint("keep what 'audit checkpoints' and 'audit keys' print, elsewhere than the server")
	}
	text, err := readSmall(o.key, "file of public keys")
	if err != nil {
		return nil, audit.PublicKeys{}, err
	}
	keys, err := audit.ParseKeys(text)
	if err != nil {
		return nil, keys, err
	}
	if o.checkpoint == "" {
		return nil, keys, nil
	}
	if text, err = readSmall(o.checkpoint, "file of checkpoints"); err != nil {
		return nil, keys, err
	}
	held, err := audit.ParseCheckpoints(text)
	return held, keys, err
}

func (o offlineFlags) verify() (client.AuditReport, error) {
	held, keys, err := o.trusted()
	if err != nil {
		return client.AuditReport{}, err
	}
	f, err := os.Open(o.export)
	if err != nil {
		return client.AuditReport{}, fault.Wrap(fault.Invalid, err, "the export cannot be read")
	}
	defer f.Close()
	report, err := audit.VerifyExport(f, held, keys)
	return reportOf(report), err
}

// verifyProof checks the proof of one entry. If checkpoints are held, one of them must be the proof's own.
func (c *cli) verifyProof(o offlineFlags) error {
	held, keys, err := o.trusted()
	if err != nil {
		return err
	}
	text, err := readSmall(o.proof, "proof")
	if err != nil {
		return err
	}
	var p audit.Proof
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return fault.New(fault.Invalid, "%s is not a proof of an audit entry", o.proof)
	}
	if len(held) == 0 {
		held = []audit.Checkpoint{{}}
	}
	for _, h := range held {
		if err = audit.VerifyInclusion(p, h, keys); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	return c.print(p.Entry.Entry, func(w io.Writer) error {
		return say(w, "OK: entry %s, %s of %s at %s, is under the checkpoint", p.Entry.ID, p.Entry.Action, p.Entry.Key, moment(p.Entry.CreatedAt))
	})
}

func (c *cli) auditExport() *cobra.Command {
	var e client.AuditExport
	var out, since string
	cmd := &cobra.Command{Use: "export", Short: "Export whole chains with what proves them, as JSON lines", Args: cobra.NoArgs,
		Long: "Writes the tenant's chains (operators: every tenant's) as JSON lines, with the newest checkpoints at the end. The file is\n" +
			"verified without a server by 'audit verify --offline'. With --since it proves that it continues a checkpoint that is held.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			if since != "" {
				var err error
				if e.Since, err = readSmall(since, "file of checkpoints"); err != nil {
					return err
				}
			}
			if out == "" || out == "-" {
				return cl.ExportAudit(ctx, e, c.out)
			}
			if err := toFile(out, func(w io.Writer) error { return cl.ExportAudit(ctx, e, w) }); err != nil {
				return err
			}
			return c.print(map[string]string{"file": out}, func(w io.Writer) error { return say(w, "the record is in %s", out) })
		})}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "write to this new file (default: standard output)")
	f.StringVar(&since, "since", "", "file of checkpoints that the export shall prove to continue")
	f.StringVar(&e.Tenant, "tenant", "", "operators: one tenant's id")
	f.StringVar(&e.Scope, "scope", "", "operators: every (default) or operator, for the operator's own chain")
	return cmd
}

// toFile writes a new file of mode 0600, whole or not at all. It replaces none.
func toFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the file cannot be made").WithHint("name one that does not exist yet")
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	w := bufio.NewWriter(f)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func (c *cli) auditCheckpoints() *cobra.Command {
	return &cobra.Command{Use: "checkpoints", Short: "Print the newest signed checkpoints, to be kept elsewhere", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.AuditCheckpoints(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				for _, cp := range list {
					if _, err := io.WriteString(w, tui.CleanLines(cp.Text)); err != nil {
						return err
					}
				}
				return nil
			})
		})}
}

func (c *cli) auditKeys() *cobra.Command {
	return &cobra.Command{Use: "keys", Short: "Print the public keys that checkpoints are signed with", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			keys, err := cl.AuditKeys(ctx)
			if err != nil {
				return err
			}
			return c.print(map[string]string{"keys": keys}, func(w io.Writer) error {
				_, err := io.WriteString(w, tui.CleanLines(keys))
				return err
			})
		})}
}

func (c *cli) auditProve() *cobra.Command {
	return &cobra.Command{Use: "prove ENTRY-ID", Short: "Print the proof that one entry is under a checkpoint, as JSON", Args: cobra.ExactArgs(1),
		Long: "Prints a proof that 'audit verify --proof' checks without a server. It holds that entry, and of all others nothing but hashes.\n" +
			"An entry is under a checkpoint 10 seconds after it was written at the latest.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			proof, err := cl.ProveAudit(ctx, args[0])
			if err != nil {
				return err
			}
			_, err = c.out.Write(append(proof, '\n'))
			return err
		})}
}

func (c *cli) auditStatus() *cobra.Command {
	return &cobra.Command{Use: "status", Short: "Say how signing the record is doing (operators)", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			s, err := cl.AuditStatus(ctx)
			if err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) error {
				for _, p := range s.Problems {
					if err := say(w, "BAD: tenant %s, node %s, epoch %d: %s", p.Tenant, p.Node, p.Epoch, p.What); err != nil {
						return err
					}
				}
				if s.Error != "" {
					return say(w, "the last attempt failed: %s", s.Error)
				}
				if s.Number == 0 {
					return say(w, "there is no checkpoint yet")
				}
				return say(w, "checkpoint %s was made at %s", strconv.FormatInt(s.Number, 10), moment(s.Time))
			})
		})}
}
