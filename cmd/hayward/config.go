package main

import (
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
)

func (c *cli) configCommand() *cobra.Command {
	cmd := noun("config", "Read and set config: a tenant's own entries, an operator's the app's",
		c.configList(), c.configGet(), c.configSet(false), c.configDelete(false), c.configHistory(), c.configRollback(), c.configSchema())
	c.addServer(cmd.PersistentFlags())
	return cmd
}

func (c *cli) configList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List what the keys are for you", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			list, err := cl.Config(ctx)
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error { return configTable(w, list) })
		})}
}

func configTable(w io.Writer, list []client.ConfigEntry) error {
	rows := make([][]string, len(list))
	for i, e := range list {
		rows[i] = []string{e.Key, short(string(e.Value)), e.ValueType, layerOf(e), strconv.FormatInt(e.Version, 10), e.Description}
	}
	return tui.Table(w, []string{"KEY", "VALUE", "TYPE", "FROM", "VERSION", "DESCRIPTION"}, rows)
}

func layerOf(e client.ConfigEntry) string {
	if e.TenantID != "" {
		return "tenant"
	}
	return "app"
}

func (c *cli) configGet() *cobra.Command {
	var explain bool
	var version int64
	cmd := &cobra.Command{Use: "get KEY", Short: "Read a config entry", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			if explain {
				return c.explainConfig(ctx, cl, args[0])
			}
			e, err := cl.ConfigEntry(ctx, args[0], version)
			if err != nil {
				return err
			}
			return c.print(e, func(w io.Writer) error { return configTable(w, []client.ConfigEntry{e}) })
		})}
	cmd.Flags().BoolVar(&explain, "explain", false, "say which layers have the key, and which answers")
	cmd.Flags().Int64Var(&version, "version", 0, "an earlier version of your own entry")
	cmd.MarkFlagsMutuallyExclusive("explain", "version")
	return cmd
}

func (c *cli) explainConfig(ctx context.Context, cl *client.Client, key string) error {
	e, err := cl.ExplainConfig(ctx, key)
	if err != nil {
		return err
	}
	return c.print(e, func(w io.Writer) error {
		rows := make([][]string, len(e.Layers))
		for i, l := range e.Layers {
			mark := ""
			if l.Layer == e.Answer {
				mark = "answers"
			}
			rows[i] = []string{l.Layer, mark, short(string(l.Value)), l.Why}
		}
		if err := tui.Table(w, []string{"LAYER", "", "VALUE", "WHY"}, rows); err != nil {
			return err
		}
		if e.Answer == "" {
			return say(w, "no layer has %s", e.Key)
		}
		return nil
	})
}

// configFlags are what is kept beside a value.
type configFlags struct {
	kind, description, file string
	metadata                map[string]string
	ifVersion               int64
	asText                  bool
}

func (f *configFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.kind, "type", "", "string, bool, int, float, duration or json (default: the value's own)")
	fs.StringVar(&f.description, "description", "", "a sentence for people")
	fs.StringToStringVar(&f.metadata, "metadata", nil, "notes about it, name=value")
	fs.Int64Var(&f.ifVersion, "if-version", 0, "fail unless this version is current; 0: unless there is none")
	fs.BoolVar(&f.asText, "text", false, "take VALUE as text even if it is JSON")
	fs.StringVar(&f.file, "from-file", "", "read the value from a JSON file instead; - is standard input")
}

func (f *configFlags) write(in io.Reader, args []string, changed func(string) bool) (client.ConfigWrite, error) {
	w := client.ConfigWrite{ValueType: f.kind, Metadata: f.metadata}
	switch {
	case (len(args) == 2) == (f.file != ""):
		return w, fault.New(fault.Invalid, "the value is missing, or comes twice").WithHint("give VALUE or --from-file")
	case f.file != "":
		v, err := readJSON(in, f.file)
		if err != nil {
			return w, err
		}
		w.Value = v
	default:
		w.Value = jsonArg(args[1], f.asText || f.kind == "string" || f.kind == "duration")
	}
	if changed("description") {
		w.Description = &f.description
	}
	if changed("if-version") {
		w.IfVersion = &f.ifVersion
	}
	return w, nil
}

// readJSON reads a JSON file of at most 1 MiB; - is standard input.
func readJSON(in io.Reader, file string) (json.RawMessage, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the file cannot be read")
		}
		defer f.Close()
		in = f
	}
	const most = 1 << 20
	b, err := io.ReadAll(io.LimitReader(in, most+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(fault.Invalid, err, "the file cannot be read")
	case len(b) > most:
		return nil, fault.New(fault.TooLarge, "%s is larger than %d bytes", file, most)
	case !json.Valid(b):
		return nil, fault.New(fault.Invalid, "%s is not JSON", file)
	}
	return b, nil
}

// configSet sets an entry, or as an override the tenant's own and nothing else.
func (c *cli) configSet(override bool) *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{Use: "set KEY VALUE", Short: "Set a config entry: a new version of it", Args: cobra.RangeArgs(1, 2),
		Long: "Sets an entry: the tenant's own, or for an operator the app's. VALUE is JSON; what is not JSON is taken as text."}
	if override {
		cmd.Short, cmd.Long = "Set the tenant's own value of a config key", "Sets the tenant's own entry. VALUE is JSON; what is not JSON is taken as text."
	}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		w, err := f.write(c.in, args, cmd.Flags().Changed)
		if err != nil {
			return err
		}
		set := cl.SetConfig
		if override {
			set = cl.SetOverride
		}
		e, err := set(ctx, args[0], w)
		if err != nil {
			return err
		}
		return c.print(e, func(w io.Writer) error {
			return say(w, "%s is %s (%s) for the %s, version %d", e.Key, short(string(e.Value)), e.ValueType, layerOf(e), e.Version)
		})
	})
	f.add(cmd.Flags())
	return cmd
}

func (c *cli) configDelete(override bool) *cobra.Command {
	cmd := &cobra.Command{Use: "delete KEY", Short: "Delete a config entry with all its versions: a tenant's own, an operator's the app's", Args: cobra.ExactArgs(1)}
	if override {
		cmd.Short = "Remove the tenant's own value of a config key: the app's answers from then on"
	}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		remove := cl.DeleteConfig
		if override {
			remove = cl.DeleteOverride
		}
		if err := remove(ctx, args[0]); err != nil {
			return err
		}
		return c.print(map[string]any{"key": args[0], "deleted": true}, func(w io.Writer) error { return say(w, "%s is deleted", args[0]) })
	})
	return cmd
}

func (c *cli) configHistory() *cobra.Command {
	return &cobra.Command{Use: "history KEY", Short: "List the versions of your own entry, oldest first", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			list, err := cl.ConfigVersions(ctx, args[0])
			if err != nil {
				return err
			}
			return c.print(list, func(w io.Writer) error {
				rows := make([][]string, len(list))
				for i, v := range list {
					rows[i] = []string{strconv.FormatInt(v.Version, 10), current(v.Current), short(string(v.Value)), moment(v.CreatedAt), v.CreatedBy}
				}
				return tui.Table(w, []string{"VERSION", "", "VALUE", "SET", "BY"}, rows)
			})
		})}
}

func current(is bool) string {
	if is {
		return "current"
	}
	return ""
}

func (c *cli) configRollback() *cobra.Command {
	var to, ifVersion int64
	cmd := &cobra.Command{Use: "rollback KEY --to VERSION", Short: "Write an earlier version's value as a new version", Args: cobra.ExactArgs(1)}
	cmd.RunE = c.online(func(ctx context.Context, cl *client.Client, args []string) error {
		e, err := cl.RollbackConfig(ctx, args[0], to, given(cmd.Flags(), "if-version", ifVersion))
		if err != nil {
			return err
		}
		return c.print(e, func(w io.Writer) error {
			return say(w, "%s is %s again, as version %d", e.Key, short(string(e.Value)), e.Version)
		})
	})
	rollbackFlags(cmd, &to, &ifVersion)
	return cmd
}

func rollbackFlags(cmd *cobra.Command, to, ifVersion *int64) {
	cmd.Flags().Int64Var(to, "to", 0, "the version whose value comes back")
	cmd.Flags().Int64Var(ifVersion, "if-version", 0, "fail unless this version is current")
	_ = cmd.MarkFlagRequired("to")
}

// given is the value of a flag that was given, else nil.
func given(fs *pflag.FlagSet, name string, v int64) *int64 {
	if !fs.Changed(name) {
		return nil
	}
	return &v
}

func (c *cli) configSchema() *cobra.Command {
	var file string
	var clear bool
	cmd := &cobra.Command{Use: "schema KEY", Short: "Set the JSON Schema that every value of a key must fit (operators)", Args: cobra.ExactArgs(1),
		RunE: c.online(func(ctx context.Context, cl *client.Client, args []string) error {
			var schema json.RawMessage
			if !clear {
				var err error
				if schema, err = readJSON(c.in, file); err != nil {
					return err
				}
			}
			if err := cl.SetConfigSchema(ctx, args[0], schema); err != nil {
				return err
			}
			return c.print(map[string]any{"key": args[0], "schema": schema}, func(w io.Writer) error {
				if clear {
					return say(w, "%s may have any value", args[0])
				}
				return say(w, "every value of %s must fit the schema", args[0])
			})
		})}
	cmd.Flags().StringVar(&file, "from-file", "", "a JSON Schema; - is standard input")
	cmd.Flags().BoolVar(&clear, "clear", false, "take the schema away")
	cmd.MarkFlagsOneRequired("from-file", "clear")
	cmd.MarkFlagsMutuallyExclusive("from-file", "clear")
	return cmd
}
