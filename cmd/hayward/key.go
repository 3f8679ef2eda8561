package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/keyring"
)

func (c *cli) keyCommand() *cobra.Command {
	cmd := noun("key", "List and change keys; operators change the root key, back keys up and destroy a tenant's",
		c.keyList(), c.keyRotate(), c.keyRoot(), c.keyRotateRoot(), c.keyShred(), c.keyReceipts(), c.keyPublic(), c.keyVerifyReceipt(), c.keyExport())
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func ownerFlags(cmd *cobra.Command, o *client.KeyOwner) {
	cmd.Flags().StringVar(&o.Tenant, "tenant", "", "operators: slug of the tenant")
	cmd.Flags().StringVar(&o.Of, "of", "", "operators: shared, for entries shared with every tenant, or operator")
	cmd.MarkFlagsMutuallyExclusive("tenant", "of")
}

func (c *cli) keyList() *cobra.Command {
	var o client.KeyOwner
	cmd := &cobra.Command{Use: "list", Short: "List the tenant's keys, never their values", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Keys(ctx, o)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, k := range list {
					rows[i] = []string{k.ID, current(k.Primary), strconv.FormatInt(k.Uses, 10), moment(k.CreatedAt), k.RootID}
				}
				return tui.Table(w, []string{"KEY", "", "VALUES", "MADE", "UNDER ROOT KEY"}, rows)
			})
		})}
	ownerFlags(cmd, &o)
	return cmd
}

func (c *cli) keyRotate() *cobra.Command {
	var o client.KeyOwner
	cmd := &cobra.Command{Use: "rotate", Short: "Give the tenant a new key, and encrypt its secrets under it", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			r, err := cl.RotateKey(ctx, o)
			if err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) error {
				return say(w, "key %s is in use; %s under it, %d left", r.ID, plural(int(r.Reencrypted), "secret"), r.Remaining)
			})
		})}
	ownerFlags(cmd, &o)
	return cmd
}

func (c *cli) showRoot(r client.RootKey) error {
	return c.print(r, func(w io.Writer) error {
		if err := say(w, "root key %s, epoch %d, %s: %d of %d keys under it", r.RootID, r.Epoch, r.Phase, r.Rewrapped, r.Total); err != nil || r.Advice == "" {
			return err
		}
		return say(w, "still to do: %s", r.Advice)
	})
}

func (c *cli) keyRoot() *cobra.Command {
	return &cobra.Command{Use: "root", Short: "Say which root key is in use, and how far a change of it has come (operators)", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			r, err := cl.RootKey(ctx)
			if err != nil {
				return err
			}
			return c.showRoot(r)
		})}
}

func (c *cli) keyRotateRoot() *cobra.Command {
	return &cobra.Command{Use: "rotate-root", Short: "Change the root key while the server serves (operators)", Args: cobra.NoArgs,
		Long: "Puts a new root key in the place of the one in use and rewraps every key under it. Key backups made before do not open any\n" +
			"more: make a new one with 'key export'.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			r, err := cl.RotateRootKey(ctx)
			if err != nil {
				return err
			}
			return c.showRoot(r)
		})}
}

func (c *cli) keyShred() *cobra.Command {
	var reason, confirm string
	cmd := &cobra.Command{Use: "shred TENANT --reason TEXT", Short: "Destroy every key of a tenant, for ever (operators)", Args: cobra.ExactArgs(1),
		Long: "Destroys every key of a tenant: no value of it opens again, in this data or in any backup of it, and nothing can be stored\n" +
			"for it any more. The tenant's slug is asked for once more. Prints the signed receipt, which 'key verify-receipt' checks.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if confirm == "" {
				fmt.Fprintf(c.err, "every value of %s becomes unreadable for ever. Type the tenant's slug to go on: ", tui.Clean(args[0]))
				line, err := bufio.NewReader(io.LimitReader(c.in, 1024)).ReadString('\n')
				if err != nil && line == "" {
					return fault.New(fault.Invalid, "nothing was typed, so nothing was destroyed").WithHint("type the slug, or give it with --confirm")
				}
				confirm = strings.TrimSpace(line)
			}
			receipt, err := cl.ShredTenant(ctx, args[0], confirm, reason)
			if err != nil {
				return err
			}
			return c.writeJSON(receipt)
		})}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is written into the record and the receipt")
	cmd.Flags().StringVar(&confirm, "confirm", "", "the tenant's slug once more, instead of being asked for it")
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

// writeJSON prints what the server signed, for both formats: a receipt is for programs.
func (c *cli) writeJSON(v json.RawMessage) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fault.New(fault.Failed, "the server's answer is not JSON")
	}
	_, err := io.WriteString(c.out, tui.CleanLines(b.String()))
	return err
}

func (c *cli) keyReceipts() *cobra.Command {
	return &cobra.Command{Use: "receipts", Short: "List the receipts of tenants whose keys were destroyed (operators)", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Receipts(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, raw := range list {
					r, err := keyring.ParseReceipt(raw)
					if err != nil {
						return err
					}
					rows[i] = []string{r.Tenant, r.ID, strconv.Itoa(r.Count), moment(r.CompletedAt), r.Reason}
				}
				return tui.Table(w, []string{"TENANT", "RECEIPT", "KEYS", "DESTROYED", "WHY"}, rows)
			})
		})}
}

func (c *cli) keyPublic() *cobra.Command {
	return &cobra.Command{Use: "public", Short: "Print the public keys that receipts verify with", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.PublicKeys(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				for _, k := range list {
					if err := say(w, "%s %s", k.ID, k.Key); err != nil {
						return err
					}
				}
				return nil
			})
		})}
}

// keyVerifyReceipt needs no server: the public keys come from 'key public', at another time.
func (c *cli) keyVerifyReceipt() *cobra.Command {
	var keys string
	cmd := &cobra.Command{Use: "verify-receipt FILE --public-key FILE", Short: "Verify a receipt of destroyed keys; no server is asked", Args: cobra.ExactArgs(1),
		RunE: c.do(func(_ *cobra.Command, args []string) error {
			text, err := readSmall(args[0], "receipt")
			if err != nil {
				return err
			}
			r, err := keyring.ParseReceipt([]byte(text))
			if err != nil {
				return err
			}
			public, err := publicKey(keys, r.Signer)
			if err != nil {
				return err
			}
			if err := keyring.VerifyReceipt(public, r); err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) error {
				if err := say(w, "OK: %s of the tenant %s destroyed at %s: %s", plural(r.Count, "key"), r.Tenant, moment(r.CompletedAt), r.Reason); err != nil {
					return err
				}
				return say(w, "%s", r.Limits)
			})
		})}
	cmd.Flags().StringVar(&keys, "public-key", "", "file with what 'key public' printed, kept from another time")
	_ = cmd.MarkFlagRequired("public-key")
	return cmd
}

// publicKey finds the key of a name in lines as 'key public' prints them.
func publicKey(path, id string) (ed25519.PublicKey, error) {
	text, err := readSmall(path, "file of public keys")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(text) {
		name, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != id {
			continue
		}
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(word))
		if err != nil || len(b) != ed25519.PublicKeySize {
			return nil, fault.New(fault.Invalid, "%s: the key %s is not one", path, id)
		}
		return b, nil
	}
	return nil, fault.New(fault.Invalid, "the key %s, which signed the receipt, is not in %s", id, path).
		WithHint("a key that is not known here proves nothing: ask whoever runs the server for it")
}

func (c *cli) keyExport() *cobra.Command {
	return &cobra.Command{Use: "export FILE", Short: "Back the keys up, apart from the data (operators)", Args: cobra.ExactArgs(1),
		Long: "Writes every key into a new file that opens with today's root key only. Keep it apart from backups of the data, and make a\n" +
			"new one after each change of the root key: it does not open afterwards.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := toFile(args[0], func(w io.Writer) error { return cl.ExportKeys(ctx, w) }); err != nil {
				return err
			}
			return c.print(map[string]string{"file": args[0]}, func(w io.Writer) error { return say(w, "the keys are in %s", args[0]) })
		})}
}
