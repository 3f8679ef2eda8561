package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/haywardhq/hayward/cmd/hayward/internal/app"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/devllm"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/vault/keyring"
)

// Options configures [Run].
type Options struct {
	Dir     string // the demo's own directory
	Docs    string // folder with go_spec.html and go_mem.html; "" or without them: the product's own pages
	Listen  string // address of the server, "127.0.0.1:1416"
	DevLLM  string // address of the model server, "127.0.0.1:11435"
	Version string
	Out     io.Writer // what is said; the last line of the start begins with "ready"
	Err     io.Writer // logs and progress
}

// user is a user of the demo.
type user struct{ name, tenant string }

func users() []user {
	return []user{{name: "operator"}, {"ann", "acme"}, {"gus", "globex"}}
}

// Run starts the demo and serves until ctx ends.
func Run(ctx context.Context, o Options) error {
	d, err := openDirectory(o.Dir)
	if err != nil {
		return err
	}
	passwords, err := d.passwords()
	if err != nil {
		return err
	}
	ln, err := devllm.Listen(ctx, o.DevLLM)
	if err != nil {
		return withHint(err, "another program may use the port: stop it, or choose another one with --devllm")
	}
	defer ln.Close()
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn) // the set-up's own requests are nobody's news
	r := &running{o: o, d: d, passwords: passwords, origin: "http://" + ln.Addr().String(), level: level,
		log: slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: level}))}
	return r.run(ctx, ln)
}

// running is a demo that is being started or runs.
type running struct {
	o         Options
	d         *directory
	passwords map[string]sealed.Value
	origin    string // of the model server
	level     *slog.LevelVar
	log       *slog.Logger
	model     *devllm.Server
	app       *app.App
	later     []string // what is said once the bars are gone
}

func (r *running) run(ctx context.Context, ln net.Listener) error {
	settings := r.settings(ln.Addr().String())
	if err := r.d.step("operator", func() error { return r.createOperator(ctx, settings) }); err != nil {
		return err
	}
	log, err := os.OpenFile(r.d.join(logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the demo's log cannot be written")
	}
	defer log.Close()
	sums, err := r.d.sums()
	if err != nil {
		return err
	}
	r.model = devllm.New(devllm.Options{Log: slog.New(slog.NewTextHandler(io.MultiWriter(r.o.Err, log), nil)).With("server", "devllm")})
	r.model.AllowSums(sums...)
	if r.app, err = app.Open(ctx, settings); err != nil {
		return err
	}
	err = r.serve(ctx, ln)
	return errors.Join(err, r.app.Close())
}

func (r *running) settings(model string) app.Settings {
	data, key, _ := Layout(r.d.path)
	return app.Settings{DataDir: data, Root: keyring.FileRoot(key, data), Listen: r.o.Listen,
		EgressAllow: []string{model}, TokenLifetime: time.Hour, Grace: 5 * time.Second, Version: r.o.Version, Log: r.log.With("server", "hayward")}
}

// createOperator creates the operator on the files. One who is there already was created by a start that was cut short.
func (r *running) createOperator(ctx context.Context, s app.Settings) error {
	if err := unused(s.DataDir); err != nil {
		return err
	}
	_, err := app.CreateOperator(ctx, s, "operator", r.passwords["operator"])
	return unlessThere(err)
}

// unused makes sure that no server has the data directory: the error for that is of the same kind as for a taken name.
func unused(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.Wrap(fault.Unavailable, err, "the demo's data directory cannot be made")
	}
	lock, err := db.LockDir(dir)
	if err != nil {
		return err
	}
	return lock.Unlock()
}

// unlessThere is err, but nil for what exists already.
func unlessThere(err error) error {
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// serve runs both servers until ctx ends or one of them fails, and sets the demo up once they answer.
func (r *running) serve(ctx context.Context, ln net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 2)
	go func() { ended <- r.model.Serve(ctx, ln) }()
	go func() { ended <- r.app.Serve(ctx) }()
	err := r.setUp(ctx)
	if err == nil {
		r.level.Set(slog.LevelInfo)
		err = r.ready()
	}
	if err != nil {
		stop()
	}
	first := <-ended
	stop()
	return firstOf(err, first, <-ended)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ready says where everything is. Passwords are shown once, to a person.
func (r *running) ready() error {
	passwords := r.d.join(passwordsFile)
	if rel, err := filepath.Rel(".", passwords); err == nil {
		passwords = rel
	}
	if tui.IsTerminal(r.o.Out) {
		err := r.d.step("passwords shown", func() error {
			r.say("users and passwords, shown this once and kept in %s:", passwords)
			show(r.passwords, func(line string) { r.say("%s", line) })
			return nil
		})
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(r.o.Out, "ready %s (API docs %s/docs, devllm %s/v1, passwords in %s)\n", r.app.URL(), r.app.URL(), r.origin, tui.Clean(passwords))
	return err
}

func (r *running) say(format string, args ...any) {
	fmt.Fprintln(r.o.Out, tui.Clean(fmt.Sprintf(format, args...)))
}

// flush says what was kept for later.
func (r *running) flush() {
	for _, line := range r.later {
		r.say("%s", line)
	}
	r.later = nil
}

func withHint(err error, hint string) error { return fault.From(err).WithHint("%s", hint) }
