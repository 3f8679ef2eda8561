package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/credentials"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// The variables that the commands of a server know. An access token in HAYWARD_TOKEN wins over the one that login kept.
const (
	serverVariable = "HAYWARD_SERVER"
	tokenVariable  = "HAYWARD_TOKEN"
	defaultServer  = "http://127.0.0.1:1416"
)

// addServer gives a command the flag that names the server.
func (c *cli) addServer(fs *pflag.FlagSet) {
	fs.StringVar(&c.server, "server", "", "address of the server (variable "+serverVariable+"; else the one of the last login, else "+defaultServer+")")
}

// base returns the server's address.
func (c *cli) base(store *credentials.Store) (string, error) {
	base := c.server
	if base == "" {
		base = os.Getenv(serverVariable)
	}
	if base == "" {
		var err error
		if base, err = store.Last(); err != nil {
			return "", err
		}
	}
	if base == "" {
		base = defaultServer
	}
	return strings.TrimRight(base, "/"), nil
}

// connect returns a client that is logged in.
func (c *cli) connect() (*client.Client, error) {
	store, err := credentials.Open("")
	if err != nil {
		return nil, err
	}
	base, err := c.base(store)
	if err != nil {
		return nil, err
	}
	cl, err := client.New(base)
	if err != nil {
		return nil, err
	}
	if token := os.Getenv(tokenVariable); token != "" {
		return cl.WithToken(sealed.NewString(token)), nil
	}
	login, ok, err := store.Get(base)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fault.New(fault.Unauthenticated, "nobody is logged in at %s", base).WithHint("hayward login --server %s", base)
	case time.Now().After(login.Expires):
		return nil, fault.New(fault.Unauthenticated, "the login of %s at %s is over", login.User, base).
			WithHint("hayward login --server %s --user %s", base, login.User)
	}
	return cl.WithToken(login.Token), nil
}

// online makes a command's function that talks to the server.
func (c *cli) online(fn func(ctx context.Context, cl *client.Client, args []string) error) func(*cobra.Command, []string) error {
	return c.do(func(cmd *cobra.Command, args []string) error {
		cl, err := c.connect()
		if err != nil {
			return err
		}
		return fn(cmd.Context(), cl, args)
	})
}

// passwordFlags are where a password may come from: never an argument.
type passwordFlags struct {
	stdin bool
	file  string
}

func (p *passwordFlags) add(fs *pflag.FlagSet, what string) {
	fs.BoolVar(&p.stdin, what+"-stdin", false, "read the "+what+" from standard input")
	fs.StringVar(&p.file, what+"-file", "", "read the "+what+" from a file")
}

func (p passwordFlags) read(ctx context.Context, in io.Reader, w io.Writer, prompt string, twice bool) (sealed.Value, error) {
	src := tui.Source{In: in, PromptW: w, Prompt: prompt, Twice: twice, File: p.file}
	switch {
	case p.stdin && p.file != "":
		return sealed.Value{}, fault.New(fault.Invalid, "standard input and a file were both named as the place of the secret")
	case p.stdin:
		src.File = "-"
	}
	return tui.ReadSecret(ctx, src)
}

func (c *cli) loginCommand() *cobra.Command {
	var user, tenant string
	var pw passwordFlags
	cmd := &cobra.Command{
		Use: "login", Short: "Log in at a server", Args: cobra.NoArgs,
		Long: "Logs in and keeps the access token in a 0600 file in your configuration directory, until it runs out or you log out.\n" +
			"The password is asked for, or read from standard input or a file; it is not kept, and there is no argument for it.",
		RunE: c.do(func(cmd *cobra.Command, _ []string) error {
			return c.login(cmd.Context(), user, tenant, pw)
		}),
	}
	c.addServer(cmd.Flags())
	cmd.Flags().StringVarP(&user, "user", "u", os.Getenv("USER"), "user name")
	cmd.Flags().StringVar(&tenant, "tenant", "", "slug of the tenant to work in (default: the user's home tenant)")
	pw.add(cmd.Flags(), "password")
	return cmd
}

func (c *cli) login(ctx context.Context, user, tenant string, pw passwordFlags) error {
	store, err := credentials.Open("")
	if err != nil {
		return err
	}
	base, err := c.base(store)
	if err != nil {
		return err
	}
	cl, err := client.New(base)
	if err != nil {
		return err
	}
	if user == "" {
		return fault.New(fault.Invalid, "no user name is given").WithHint("hayward login --user NAME")
	}
	password, err := pw.read(ctx, c.in, c.err, "Password of "+user+" at "+base, false)
	if err != nil {
		return err
	}
	token, err := cl.Login(ctx, user, password, tenant)
	if err != nil {
		return err
	}
	me, err := cl.WithToken(token.Access).Me(ctx)
	if err != nil {
		return err
	}
	if err := store.Put(base, credentials.Login{Token: token.Access, User: me.Username, Tenant: me.Tenant, Expires: token.Expires}); err != nil {
		return err
	}
	return c.print(loginAnswer{base, me.Username, me.Tenant, me.Roles, token.Expires.UTC()}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is logged in at %s%s until %s\n", tui.Clean(me.Username), base, inTenant(me), token.Expires.Local().Format("15:04"))
		return err
	})
}

type loginAnswer struct {
	Server  string    `json:"server"`
	User    string    `json:"user"`
	Tenant  string    `json:"tenant"`
	Roles   []string  `json:"roles"`
	Expires time.Time `json:"expires"`
}

func inTenant(p client.Profile) string {
	if p.Operator {
		return " as operator"
	}
	return " in " + tui.Clean(p.Tenant)
}

func (c *cli) logoutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "logout", Short: "Log out: the token is good for nothing from then on", Args: cobra.NoArgs,
		RunE: c.do(func(cmd *cobra.Command, _ []string) error {
			store, err := credentials.Open("")
			if err != nil {
				return err
			}
			base, err := c.base(store)
			if err != nil {
				return err
			}
			login, ok, err := store.Get(base)
			if err != nil || !ok {
				return err
			}
			cl, err := client.New(base)
			if err != nil {
				return err
			}
			ended := cl.WithToken(login.Token).Logout(cmd.Context())
			if err := store.Delete(base); err != nil {
				return err
			}
			if ended != nil && !fault.Is(ended, fault.Unauthenticated) {
				return fault.Wrap(fault.KindOf(ended), ended, "the login is forgotten here, but the server could not be told")
			}
			return nil
		}),
	}
	c.addServer(cmd.Flags())
	return cmd
}

func (c *cli) whoamiCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "whoami", Short: "Say who is logged in", Args: cobra.NoArgs,
		RunE: c.online(func(ctx context.Context, cl *client.Client, _ []string) error {
			me, err := cl.Me(ctx)
			if err != nil {
				return err
			}
			return c.print(me, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s%s at %s, roles: %s\n", tui.Clean(me.Username), inTenant(me), cl.URL(), tui.Clean(strings.Join(me.Roles, ", ")))
				return err
			})
		}),
	}
	c.addServer(cmd.Flags())
	return cmd
}
