package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/haywardhq/hayward/client"
	"github.com/haywardhq/hayward/cmd/hayward/internal/tui"
	files "github.com/haywardhq/hayward/demo"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

// modelInFile is the origin of the model server in the pipeline files.
const modelInFile = "http://127.0.0.1:11435"

const secretName = "OPENAI_API_KEY"

// setUp does what is not done yet, over HTTP.
func (r *running) setUp(ctx context.Context) error {
	cl, err := client.New(r.app.URL())
	if err != nil {
		return err
	}
	if err := r.people(ctx, cl); err != nil {
		return err
	}
	docs, err := r.documents()
	if err != nil {
		return err
	}
	progress := tui.NewProgress(r.o.Err)
	defer r.flush() // on a terminal, lines and moving bars would write over each other
	defer progress.Wait()
	for _, u := range users() {
		if u.tenant == "" {
			continue
		}
		bar := progress.Bar(u.tenant, int64(2+len(docs)))
		err := r.tenant(ctx, &session{cl: cl, user: u, password: r.passwords[u.name]}, docs, bar)
		bar.End()
		if err != nil {
			return err
		}
	}
	return nil
}

// session logs in when it is first needed: a demo that is set up already needs no login.
type session struct {
	cl       *client.Client
	user     user
	password sealed.Value
	in       bool
}

func (s *session) client(ctx context.Context) (*client.Client, error) {
	if !s.in {
		t, err := s.cl.Login(ctx, s.user.name, s.password, s.user.tenant)
		if err != nil {
			return nil, err
		}
		s.cl, s.in = s.cl.WithToken(t.Access), true
	}
	return s.cl, nil
}

// people creates tenants and their users, as operator.
func (r *running) people(ctx context.Context, cl *client.Client) error {
	operator := &session{cl: cl, user: users()[0], password: r.passwords["operator"]}
	for _, u := range users() {
		if u.tenant == "" {
			continue
		}
		err := r.d.step("tenant "+u.tenant, func() error {
			cl, err := operator.client(ctx)
			if err != nil {
				return err
			}
			if _, err := cl.CreateTenant(ctx, u.tenant, strings.ToUpper(u.tenant[:1])+u.tenant[1:]); unlessThere(err) != nil {
				return err
			}
			_, err = cl.CreateUser(ctx, client.NewUser{Username: u.name, Password: r.passwords[u.name], Tenant: u.tenant, Roles: []string{"admin"}})
			return unlessThere(err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tenant gives a tenant its key, its pipelines and its documents, as its user.
func (r *running) tenant(ctx context.Context, s *session, docs []string, bar *tui.Bar) error {
	if err := r.d.step("key of "+s.user.tenant+" for "+r.origin, func() error { return r.giveKey(ctx, s) }); err != nil {
		return err
	}
	bar.Add(1)
	for _, name := range []string{"index-docs", "ask-docs"} {
		if err := r.deploy(ctx, s, name); err != nil {
			return err
		}
	}
	bar.Add(1)
	for _, doc := range docs {
		sum, err := sumOfFile(doc)
		if err != nil {
			return err
		}
		name := filepath.Base(doc)
		err = r.d.step("document "+name+" "+sum+" of "+s.user.tenant, func() error {
			cl, err := s.client(ctx)
			if err != nil {
				return err
			}
			out, err := cl.Upload(ctx, "index-docs", []client.Upload{{Field: "sources", Path: doc}}, nil)
			if err == nil {
				r.later = append(r.later, fmt.Sprintf("%s: %s is indexed (%s)", s.user.tenant, name, written(out)))
			}
			return err
		})
		if err != nil {
			return err
		}
		bar.Add(1)
	}
	return nil
}

// giveKey puts a new key into the tenant's vault; the model server learns its sum.
func (r *running) giveKey(ctx context.Context, s *session) error {
	cl, err := s.client(ctx)
	if err != nil {
		return err
	}
	dest, err := sealed.ParseDestination(r.origin)
	if err != nil {
		return err
	}
	key, sum, err := r.d.newKey()
	if err != nil {
		return err
	}
	r.model.AllowSums(sum)
	_, err = cl.SetSecret(ctx, secretName, key, client.SecretOptions{Destinations: []sealed.Destination{dest}})
	return err
}

func (r *running) deploy(ctx context.Context, s *session, name string) error {
	b, err := fs.ReadFile(files.FS, "pipelines/"+name+".yml")
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a file of the demo is missing")
	}
	source := string(b)
	if r.origin != modelInFile { // another port was asked for
		source = strings.ReplaceAll(source, modelInFile, r.origin)
	}
	return r.d.step("pipeline "+name+" "+sum([]byte(source))+" of "+s.user.tenant, func() error {
		cl, err := s.client(ctx)
		if err != nil {
			return err
		}
		_, err = cl.Deploy(ctx, client.DeployRequest{Name: name, Source: source, Overwrite: true})
		return err
	})
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:4])
}

func sumOfFile(name string) (string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "a document cannot be read")
	}
	return sum(b), nil
}

// documents lists the pages to index: those of the Go toolchain, else the product's own, unpacked into the demo's directory.
func (r *running) documents() (paths []string, err error) {
	for _, name := range []string{"go_spec.html", "go_mem.html"} {
		p := filepath.Join(r.o.Docs, name)
		if info, err := os.Stat(p); r.o.Docs != "" && err == nil && info.Mode().IsRegular() {
			paths = append(paths, p)
		}
	}
	if len(paths) > 0 {
		return paths, nil
	}
	r.say("there is no go_spec.html and no go_mem.html in %q: the pages that come with Hayward are indexed instead", r.o.Docs)
	names, err := fs.Glob(files.FS, "docs/*.html")
	if err == nil {
		paths, err = unpack(r.d.join("pages"), names)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the demo's pages cannot be unpacked")
	}
	return paths, nil
}

func unpack(dir string, names []string) (paths []string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(files.FS, name)
		if err != nil {
			return nil, err
		}
		p := filepath.Join(dir, path.Base(name))
		if err := os.WriteFile(p, b, 0o600); err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// written says how many passages an upload gave.
func written(out *value.Dict) string {
	writer, _ := out.Get("writer")
	if d, ok := writer.(*value.Dict); ok {
		if n, ok := d.Get("documents_written"); ok {
			return value.ToStr(n) + " passages"
		}
	}
	return "passages unknown"
}
