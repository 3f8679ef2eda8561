package config

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/typed"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// compileSchema reads a JSON Schema (draft 2020-12 unless it names another). It may not refer to anything outside itself.
func compileSchema(text string) (*jsonschema.Schema, error) {
	if len(text) > maxSchema {
		return nil, fault.New(fault.TooLarge, "the schema has %d bytes; the most is %d", len(text), maxSchema).At(fault.Where{Field: "schema"})
	}
	if _, err := typed.ParseJSON([]byte(text)); err != nil {
		return nil, fault.New(fault.Invalid, "the schema: %s", fault.From(err).Message).At(fault.Where{Field: "schema"})
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema is not JSON").At(fault.Where{Field: "schema"})
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	const name = "schema:value"
	if err := c.AddResource(name, doc); err == nil {
		var s *jsonschema.Schema
		if s, err = c.Compile(name); err == nil {
			return s, nil
		}
	}
	return nil, fault.New(fault.Invalid, "this is not a JSON Schema that stands on its own").At(fault.Where{Field: "schema"}).
		WithHint("see https://json-schema.org; references must stay inside the document")
}

// noLoader keeps a schema from reading files and addresses.
type noLoader struct{}

func (noLoader) Load(string) (any, error) {
	return nil, errors.New("nothing outside the schema is read")
}

// checkSchema refuses a value that does not fit what the app says about its key.
func checkSchema(ctx context.Context, tx driver.Tx, app, key string, v driver.ConfigVersion) error {
	head, _, err := tx.Config(ctx, app, driver.Shared, key)
	if errors.Is(err, driver.ErrNotFound) || err == nil && head.Schema == "" {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := compileSchema(head.Schema)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the schema of the config entry %s cannot be read", key)
	}
	return fits(s, v)
}

func fits(s *jsonschema.Schema, v driver.ConfigVersion) error {
	text := v.Value
	if v.Kind == typed.Duration { // a schema sees it as people write it
		n, err := strconv.ParseInt(v.Value, 10, 64)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "a stored value cannot be read")
		}
		text = strconv.Quote(time.Duration(n).String())
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return fault.Wrap(fault.Internal, err, "a stored value cannot be read")
	}
	if err := s.Validate(doc); err != nil {
		return fault.New(fault.Invalid, "the value of %s does not fit its schema%s", audit.Display(v.Name), place(err)).
			WithCode("SchemaMismatch").At(fault.Where{Field: "value"})
	}
	return nil
}

// place says where in the value and by which keyword; the value itself is not quoted.
func place(err error) string {
	var v *jsonschema.ValidationError
	if !errors.As(err, &v) {
		return ""
	}
	for len(v.Causes) > 0 {
		v = v.Causes[0]
	}
	out := ""
	if len(v.InstanceLocation) > 0 {
		out = " at /" + strings.Join(v.InstanceLocation, "/")
	}
	if path := v.ErrorKind.KeywordPath(); len(path) > 0 {
		out += ": " + strings.Join(path, "/")
	}
	return audit.Display(out)
}

// PutSchema sets the JSON Schema of a key for the app and every tenant, or removes it if it is empty. What is stored must
// fit.
func PutSchema(ctx context.Context, tx driver.Tx, app, key string, schema json.RawMessage) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	head, v, err := tx.Config(ctx, app, driver.Shared, key)
	if errors.Is(err, driver.ErrNotFound) {
		head, err = driver.ConfigRow{App: app, Tenant: driver.Shared, Name: key, ID: id.New(id.Config).String(), CreatedAt: tx.Now()}, nil
	}
	if err != nil {
		return err
	}
	if len(schema) > 0 {
		s, err := compileSchema(string(schema))
		if err != nil {
			return err
		}
		if err := fitAll(ctx, tx, s, app, key, head, v); err != nil {
			return err
		}
	}
	head.Schema, head.UpdatedAt = string(schema), tx.Now()
	return tx.PutConfig(ctx, head)
}

func fitAll(ctx context.Context, tx driver.Tx, s *jsonschema.Schema, app, key string, head driver.ConfigRow, v driver.ConfigVersion) error {
	if head.Current > 0 {
		if err := fits(s, v); err != nil {
			return err
		}
	}
	for after := ""; ; {
		heads, err := tx.ListConfigsEveryTenant(ctx, app, key, after, maxPage)
		if err != nil {
			return err
		}
		for _, h := range heads {
			_, v, err := tx.Config(ctx, app, h.Tenant, key)
			if err != nil {
				return err
			}
			if fits(s, v) != nil {
				return fault.New(fault.Conflict, "a tenant's own value of %s does not fit the schema", key).WithCode("SchemaMismatch")
			}
			after = h.Tenant
		}
		if len(heads) < maxPage {
			return nil
		}
	}
}
