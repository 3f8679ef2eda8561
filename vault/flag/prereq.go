package flag

import (
	"context"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// maxDepth bounds how long a chain of prerequisites is.
const maxDepth = 16

// checkPrereqs refuses prerequisites that are not there, cannot have the value that is asked for, or lead back to the flag.
func checkPrereqs(ctx context.Context, tx driver.Tx, app string, d *Definition) error {
	w := walk{ctx, tx, app, d.Key, map[string]int{}}
	for i, p := range d.Prerequisites {
		where := fault.Where{Field: "prerequisites[" + strconv.Itoa(i) + "]"}
		other, err := definition(ctx, tx, app, p.FlagKey)
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.Invalid, "the flag %s needs the flag %s, which does not exist", d.Key, p.FlagKey).At(where).
				WithHint("define that one first")
		}
		if err != nil {
			return err
		}
		if err := fits(p, other); err != nil {
			return fault.From(err).At(where)
		}
		if err := w.check(other, []string{d.Key}); err != nil {
			return fault.From(err).At(where)
		}
	}
	return nil
}

// fits checks that the other flag can have what is asked of it.
func fits(p Prerequisite, other *Definition) error {
	want := p.Value
	if want == nil && p.Variant == "" {
		want = true
	}
	variants, err := other.variants()
	if err != nil {
		return err
	}
	_, err = outputs{other.Type, variants}.of(want, p.Variant, "")
	return err
}

// walk follows the prerequisites of a flag that the first of a path needs.
type walk struct {
	ctx   context.Context
	tx    driver.Tx
	app   string
	start string
	seen  map[string]int // how deep a flag was met at most: a shorter way to it shows nothing new
}

func (w *walk) check(d *Definition, path []string) error {
	path = append(path[:len(path):len(path)], d.Key)
	if d.Key == w.start {
		return fault.New(fault.Invalid, "the prerequisites go round in a circle: %s", strings.Join(path, " needs ")).
			WithHint("take one of them out")
	}
	if len(path) > maxDepth {
		return fault.New(fault.Invalid, "the chain of prerequisites is longer than %d flags", maxDepth)
	}
	if w.seen[d.Key] >= len(path) {
		return nil
	}
	w.seen[d.Key] = len(path)
	for _, p := range d.Prerequisites {
		next, err := definition(w.ctx, w.tx, w.app, p.FlagKey)
		if err != nil {
			return err
		}
		if err := w.check(next, path); err != nil {
			return err
		}
	}
	return nil
}

func definition(ctx context.Context, tx driver.Tx, app, key string) (*Definition, error) {
	row, err := find(ctx, tx, app, key)
	if err != nil {
		return nil, err
	}
	return decodeDefinition(row)
}

// everyFlag calls fn for each flag of an app, by key.
func everyFlag(ctx context.Context, tx driver.Tx, app string, fn func(driver.FlagRow) error) error {
	for after := ""; ; {
		rows, err := tx.ListFlags(ctx, app, driver.Shared, after, maxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after = r.Name
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(rows) < maxPage {
			return nil
		}
	}
}

// checkUnneeded refuses to delete a flag that is a prerequisite of another one.
func checkUnneeded(ctx context.Context, tx driver.Tx, app, key string) error {
	return everyFlag(ctx, tx, app, func(r driver.FlagRow) error {
		d, err := decodeDefinition(r)
		if err != nil {
			return nil // one that cannot be read needs nothing
		}
		for _, p := range d.Prerequisites {
			if p.FlagKey == key {
				return fault.New(fault.Conflict, "the flag %s is a prerequisite of %s", key, d.Key).WithHint("change that one first")
			}
		}
		return nil
	})
}
