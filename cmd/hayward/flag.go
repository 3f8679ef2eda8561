package main

import (
	"context"
	"encoding/json"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
)

func (c *cli) flagCommand() *cobra.Command {
	cmd := noun("flag", "Evaluate and explain flags, set the tenant's own values; operators define them",
		c.flagList(), c.flagGet(), c.flagExplain(), c.flagSet(), c.flagUnset(), c.flagOverrides(),
		c.flagDefinitions(), c.flagShow(), c.flagDefine(), c.flagRules(), c.flagSwitch(true), c.flagSwitch(false), c.flagDelete(),
		c.flagHistory(), c.flagRollback(), c.segmentCommand())
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) flagList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List what every flag is for you", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Flags(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error { return flagTable(w, list) })
		})}
}

func flagTable(w io.Writer, list []client.FlagValue) error {
	rows := make([][]string, len(list))
	for i, f := range list {
		says := f.Layer
		if f.ErrorCode != "" {
			says = f.ErrorMessage
		}
		rows[i] = []string{f.Key, short(string(f.Value)), f.Variant, f.Reason, says}
	}
	return tui.Table(w, []string{"FLAG", "VALUE", "VARIANT", "REASON", "FROM"}, rows)
}

func (c *cli) flagGet() *cobra.Command {
	var explain bool
	cmd := &cobra.Command{Use: "get KEY", Short: "Evaluate a flag for you", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if explain {
				return c.explainFlag(ctx, cl, args[0], client.FlagQuestion{})
			}
			f, err := cl.Flag(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(f, func(w io.Writer) error { return flagTable(w, []client.FlagValue{f}) })
		})}
	cmd.Flags().BoolVar(&explain, "explain", false, "say step by step what was looked at")
	return cmd
}

func (c *cli) flagExplain() *cobra.Command {
	var q client.FlagQuestion
	var attributes map[string]string
	cmd := &cobra.Command{Use: "explain KEY", Short: "Say step by step what a flag is for somebody, and why", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if attributes != nil {
				q.Attributes = map[string]json.RawMessage{}
			}
			for name, text := range attributes {
				q.Attributes[name] = jsonArg(text, false)
			}
			return c.explainFlag(ctx, cl, args[0], q)
		})}
	f := cmd.Flags()
	f.StringVar(&q.User, "user", "", "id of the user to evaluate for (default: yours)")
	f.StringVar(&q.Tenant, "tenant", "", "operators: slug of the tenant to evaluate for")
	f.StringToStringVar(&attributes, "attribute", nil, "what else is known about the caller, name=value; may be repeated")
	return cmd
}

func (c *cli) explainFlag(ctx context.Context, cl *client.Client, key string, q client.FlagQuestion) error {
	e, err := cl.ExplainFlag(ctx, key, q)
	if err != nil {
		return err
	}
	return c.print(e, func(w io.Writer) error {
		rows := make([][]string, len(e.Steps))
		for i, s := range e.Steps {
			rows[i] = []string{s.What, s.Flag, yes(s.Matched), s.Says}
		}
		if err := tui.Table(w, []string{"STEP", "FLAG", "MATCHED", "WHY"}, rows); err != nil {
			return err
		}
		return say(w, "%s is %s (%s)", e.Key, short(string(e.Value)), e.Reason)
	})
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// jsonArg makes JSON of a value on a command line: what is JSON is taken as it is, anything else is text.
func jsonArg(text string, asText bool) json.RawMessage {
	if !asText && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	b, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage("null") // a string always has a form
	}
	return b
}

func (c *cli) flagSet() *cobra.Command {
	var tenant string
	var asText bool
	cmd := &cobra.Command{Use: "set KEY VALUE", Short: "Set the value a flag has for the tenant", Args: cobra.ExactArgs(2),
		Long: "Sets the value a flag has for your tenant, in place of its rules. VALUE is JSON; what is not JSON is taken as text.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			value := jsonArg(args[1], asText)
			if err := cl.SetFlagOverride(ctx, args[0], tenant, value); err != nil {
				return err
			}
			return c.print(map[string]any{"flag": args[0], "value": value}, func(w io.Writer) error {
				return say(w, "%s is %s for the tenant from now on", args[0], short(string(value)))
			})
		})}
	cmd.Flags().StringVar(&tenant, "tenant", "", "operators: the tenant's slug")
	cmd.Flags().BoolVar(&asText, "text", false, "take VALUE as text even if it is JSON")
	return cmd
}

func (c *cli) flagUnset() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{Use: "unset KEY", Short: "Remove the tenant's own value of a flag: its rules decide again", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.DeleteFlagOverride(ctx, args[0], tenant); err != nil {
				return err
			}
			return c.print(map[string]any{"flag": args[0], "deleted": true}, func(w io.Writer) error {
				return say(w, "%s has no value of the tenant's own any more", args[0])
			})
		})}
	cmd.Flags().StringVar(&tenant, "tenant", "", "operators: the tenant's slug")
	return cmd
}

func (c *cli) flagOverrides() *cobra.Command {
	return &cobra.Command{Use: "overrides KEY", Short: "List the tenant's own value of a flag; for operators every tenant's", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			list, err := cl.FlagOverrides(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, o := range list {
					rows[i] = []string{o.Tenant, short(string(o.Value)), moment(o.UpdatedAt)}
				}
				return tui.Table(w, []string{"TENANT", "VALUE", "SET"}, rows)
			})
		})}
}

func (c *cli) flagDefinitions() *cobra.Command {
	return &cobra.Command{Use: "definitions", Short: "List the app's flags (operators)", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.FlagDefinitions(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error { return definitionTable(w, list) })
		})}
}

func definitionTable(w io.Writer, list []client.Flag) error {
	rows := make([][]string, len(list))
	for i, f := range list {
		def := short(string(f.DefaultValue))
		if f.DefaultVariant != "" {
			def = f.DefaultVariant
		}
		rows[i] = []string{f.Key, f.Type, def, onOff(f.Enabled), strconv.FormatInt(f.Version, 10), f.Description}
	}
	return tui.Table(w, []string{"FLAG", "TYPE", "DEFAULT", "STATE", "VERSION", "DESCRIPTION"}, rows)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (c *cli) flagShow() *cobra.Command {
	return &cobra.Command{Use: "show KEY", Short: "Describe a flag with its rules (operators)", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			f, err := cl.FlagDefinition(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(f, func(w io.Writer) error {
				if err := definitionTable(w, []client.Flag{f}); err != nil {
					return err
				}
				return ruleTable(w, f.Rules)
			})
		})}
}

// ruleTable lists rules in the order they are tried.
func ruleTable(w io.Writer, text json.RawMessage) error {
	var rules []struct {
		Priority int             `json:"priority"`
		Type     string          `json:"type"`
		Config   json.RawMessage `json:"config"`
		Value    json.RawMessage `json:"return_value"`
		Variant  string          `json:"return_variant"`
	}
	if err := json.Unmarshal(text, &rules); err != nil {
		return fault.New(fault.Failed, "the server's answer holds no rules")
	}
	rows := make([][]string, len(rules))
	for i, r := range rules {
		gives := string(r.Value)
		if r.Variant != "" {
			gives = r.Variant
		}
		rows[i] = []string{strconv.Itoa(r.Priority), r.Type, short(string(r.Config)), short(gives)}
	}
	return tui.Table(w, []string{"PRIORITY", "RULE", "LOOKS AT", "GIVES"}, rows)
}

func (c *cli) flagDefine() *cobra.Command {
	var kind, def, file, description string
	var off, asText bool
	cmd := &cobra.Command{Use: "define KEY --type TYPE --default VALUE", Short: "Create a flag or change its definition (operators)", Args: cobra.ExactArgs(1),
		Long: "Creates a flag or changes its definition; its rules and the tenants' own values stay, and must fit. With --from-file the whole\n" +
			"definition is a JSON object: type, default_value, description, tags, variants, prerequisites, enabled, metadata.",
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			body, err := flagDefinition(c.in, file, kind, def, description, off, asText)
			if err != nil {
				return err
			}
			f, err := cl.DefineFlag(ctx, args[0], body)
			if err != nil {
				return err
			}
			return c.print(f, func(w io.Writer) error {
				return say(w, "flag %s is defined, version %d, %s", f.Key, f.Version, onOff(f.Enabled))
			})
		})}
	f := cmd.Flags()
	f.StringVar(&kind, "type", "", "bool, string, int, float or json")
	f.StringVar(&def, "default", "", "the flag's value when no rule matches: JSON, or else text")
	f.StringVar(&description, "description", "", "a sentence for people")
	f.BoolVar(&off, "off", false, "switched off: everybody has the default")
	f.BoolVar(&asText, "text", false, "take the default as text even if it is JSON")
	f.StringVar(&file, "from-file", "", "read the whole definition from a JSON file; - is standard input")
	cmd.MarkFlagsMutuallyExclusive("from-file", "type")
	return cmd
}

func flagDefinition(in io.Reader, file, kind, def, description string, off, asText bool) (json.RawMessage, error) {
	if file != "" {
		return readJSON(in, file)
	}
	if kind == "" || def == "" && !asText {
		return nil, fault.New(fault.Invalid, "a flag needs --type and --default, or --from-file").WithHint("for example --type bool --default false")
	}
	body := map[string]any{"type": kind, "default_value": jsonArg(def, asText || kind == "string"), "enabled": !off}
	if description != "" {
		body["description"] = description
	}
	b, err := json.Marshal(body)
	return b, err
}

func (c *cli) flagRules() *cobra.Command {
	var file string
	cmd := &cobra.Command{Use: "rules KEY --from-file FILE", Short: "Replace a flag's rules (operators)", Args: cobra.ExactArgs(1),
		Long: "Replaces a flag's rules by a JSON list of objects with priority, type, config, return_value or return_variant, such as\n" +
			`[{"type": "when_tenant", "config": {"tenant_ids": ["..."]}, "return_value": true}]`,
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			rules, err := readJSON(c.in, file)
			if err != nil {
				return err
			}
			if err := cl.SetFlagRules(ctx, args[0], rules); err != nil {
				return err
			}
			return c.print(map[string]any{"flag": args[0], "rules": rules}, func(w io.Writer) error { return say(w, "the rules of %s are set", args[0]) })
		})}
	cmd.Flags().StringVar(&file, "from-file", "", "a JSON file; - is standard input")
	_ = cmd.MarkFlagRequired("from-file")
	return cmd
}

func (c *cli) flagSwitch(on bool) *cobra.Command {
	use, short := "enable KEY", "Switch a flag on (operators)"
	if !on {
		use, short = "disable KEY", "Switch a flag off: everybody has the default at once (operators)"
	}
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.EnableFlag(ctx, args[0], on); err != nil {
				return err
			}
			return c.print(map[string]any{"flag": args[0], "enabled": on}, func(w io.Writer) error { return say(w, "%s is %s", args[0], onOff(on)) })
		})}
}

func (c *cli) flagDelete() *cobra.Command {
	return &cobra.Command{Use: "delete KEY", Short: "Delete a flag with its rules and every tenant's own value (operators)", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if err := cl.DeleteFlag(ctx, args[0]); err != nil {
				return err
			}
			return c.print(map[string]any{"flag": args[0], "deleted": true}, func(w io.Writer) error { return say(w, "%s is deleted", args[0]) })
		})}
}

func (c *cli) flagHistory() *cobra.Command {
	var tenant string
	var own bool
	cmd := &cobra.Command{Use: "history KEY", Short: "List the versions of a flag (operators), or with --own of the tenant's own value", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			var list []client.Revision
			var err error
			if own || tenant != "" {
				list, err = cl.FlagOverrideVersions(ctx, args[0], tenant)
			} else {
				list, err = cl.FlagVersions(ctx, args[0])
			}
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error { return revisionTable(w, list) })
		})}
	ownFlags(cmd, &own, &tenant)
	return cmd
}

func ownFlags(cmd *cobra.Command, own *bool, tenant *string) {
	cmd.Flags().BoolVar(own, "own", false, "the tenant's own value, not the flag")
	cmd.Flags().StringVar(tenant, "tenant", "", "operators: the own value of the tenant of this slug")
}

func (c *cli) flagRollback() *cobra.Command {
	var to, ifVersion int64
	var tenant string
	var own bool
	cmd := &cobra.Command{Use: "rollback KEY --to VERSION", Args: cobra.ExactArgs(1),
		Short: "Make a flag what it was at a version (operators), or with --own the tenant's own value"}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		expected := given(cmd.Flags(), "if-version", ifVersion)
		var err error
		if own || tenant != "" {
			err = cl.RollbackFlagOverride(ctx, args[0], tenant, to, expected)
		} else {
			_, err = cl.RollbackFlag(ctx, args[0], to, expected)
		}
		if err != nil {
			return err
		}
		return c.print(map[string]any{"flag": args[0], "from": to}, func(w io.Writer) error { return say(w, "%s is what it was at version %d", args[0], to) })
	})
	rollbackFlags(cmd, &to, &ifVersion)
	ownFlags(cmd, &own, &tenant)
	return cmd
}
