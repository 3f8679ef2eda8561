package main

import (
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
)

// version is set by the release build; a build from source names its commit.
var version = "0.1.0-dev"

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1   // the command did what it could, and failed
	exitUsage       = 2   // the command line is wrong
	exitInterrupted = 130 // as a shell gives for SIGINT
)

// cli is what commands share: where they read and write, and the flags of all of them.
type cli struct {
	in       io.Reader
	out, err io.Writer
	format   tui.Format
	server   string // --server; of the commands that talk to one
	began    bool   // a command was found and its flags are fine
}

// execute runs one command line and returns the exit code.
func (c *cli) execute(ctx context.Context, args []string) int {
	root := c.root()
	c.format = wanted(args)
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case !c.began:
		c.fail(fault.Wrap(fault.Invalid, err, "the command line is wrong").WithCode("usage").WithHint("%s --help says how", cmd.CommandPath()))
		return exitUsage
	case ctx.Err() != nil && (fault.Is(err, fault.Canceled) || errors.Is(err, context.Canceled)):
		c.fail(fault.New(fault.Canceled, "interrupted"))
		return exitInterrupted
	}
	var quiet exitError
	var with *notedError
	switch {
	case errors.As(err, &quiet):
	case errors.As(err, &with):
		c.fail(with.error, with.notes...)
	default:
		c.fail(err)
	}
	return exitFailed
}

// wanted finds the format in a command line that may turn out to be wrong: also then a program gets an object.
func wanted(args []string) tui.Format {
	for i, arg := range args {
		value, given := strings.CutPrefix(arg, "--output=")
		if (arg == "--output" || arg == "-o") && i+1 < len(args) {
			value, given = args[i+1], true
		}
		if short, ok := strings.CutPrefix(arg, "-o"); ok && strings.TrimPrefix(short, "=") == string(tui.JSON) {
			value, given = string(tui.JSON), true
		}
		if given && value == string(tui.JSON) {
			return tui.JSON
		}
	}
	return tui.Text
}

// exitError ends a command with exit code 1 after it has said everything itself.
type exitError struct{}

func (exitError) Error() string { return "failed" }

// notedError is an error with what was said before it.
type notedError struct {
	error
	notes []string
}

// Unwrap returns the error itself.
func (e *notedError) Unwrap() error { return e.error }

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hayward",
		Short: "Haystack pipelines, for one author or for many tenants",
		Long: "Hayward runs Haystack pipelines written as YAML: on your machine with 'run', or on a server with tenants, logins,\n" +
			"secrets and an audit trail with 'serve'. 'hayward demo' shows all of it on this machine.",
		SilenceErrors: true, SilenceUsage: true, Version: version,
	}
	c.format.AddFlag(root.PersistentFlags())
	const here, there, house = "here", "there", "house"
	root.AddGroup(&cobra.Group{ID: here, Title: "On this machine:"}, &cobra.Group{ID: there, Title: "On a server (log in first):"},
		&cobra.Group{ID: house, Title: "The server itself:"})
	add := func(group string, cmds ...*cobra.Command) {
		for _, cmd := range cmds {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add(here, c.runCommand(), c.componentsCommand(), c.demoCommand(), c.devllmCommand(), c.versionCommand())
	add(there, c.loginCommand(), c.logoutCommand(), c.whoamiCommand(), c.pipelineCommand(), c.secretCommand(), c.flagCommand(), c.configCommand(), c.overrideCommand(), c.rotateCommand(), c.keyCommand(), c.backupCommand(),
		c.userCommand(), c.tenantCommand(), c.auditCommand())
	add(house, c.serveCommand(), c.operatorCommand(), c.migrateCommand(), c.restoreCommand())
	return root
}

// do makes a command's function: from here on, an error is not about the command line any more.
func (c *cli) do(fn func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c.began = true
		return fn(cmd, args)
	}
}

// noun returns a command that only holds others.
func noun(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(verbs...)
	return cmd
}

// print writes v as JSON for programs, or what text does for people.
func (c *cli) print(v any, text func(io.Writer) error) error {
	return tui.Print(c.out, c.format, v, text)
}

// Version is what 'hayward version' says.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Say which version this is", Args: cobra.NoArgs, RunE: c.do(func(*cobra.Command, []string) error {
		v := Version{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
		if info, ok := debug.ReadBuildInfo(); ok {
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					v.Revision = s.Value
				}
			}
		}
		return c.print(v, func(w io.Writer) error {
			_, err := io.WriteString(w, "hayward "+v.Version+" "+v.Revision+" "+v.Go+" "+v.Platform+"\n")
			return err
		})
	})}
}
