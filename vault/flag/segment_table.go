package flag

import (
	"context"
	"errors"
	"slices"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/id"
	"github.com/haywardhq/hayward/vault/internal/who"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func theSegment(app, key string) thing { return thing{app, driver.Shared, driver.FlagKindSegment, key} }

// DefineFlagSegment creates a segment or changes it. It fills in s's ID, Version and times.
func (t *Table) DefineFlagSegment(ctx context.Context, s *Segment) error {
	if s == nil {
		return fault.New(fault.Invalid, "there is no segment")
	}
	c, err := who.Of(ctx, s.AppID, "")
	if err != nil {
		return err
	}
	return t.defineSegment(ctx, author{app: c.App, user: c.User}, s, "define")
}

func (t *Table) defineSegment(ctx context.Context, w author, s *Segment, action string) error {
	return t.update(ctx, w.also, func(tx driver.Tx) error { return putSegment(ctx, tx, w, s, action) })
}

// putSegment writes a segment with the next version, and remembers it.
func putSegment(ctx context.Context, tx driver.Tx, w author, s *Segment, action string) error {
	row, err := tx.FlagSegment(ctx, w.app, driver.Shared, s.Key)
	if errors.Is(err, driver.ErrNotFound) {
		row, err = driver.FlagSegmentRow{App: w.app, Tenant: driver.Shared, Name: s.Key, ID: id.New(id.Segment).String(), CreatedAt: tx.Now()}, nil
	}
	if err != nil {
		return err
	}
	if err := w.expects("segment", s.Key, row.Version); err != nil {
		return err
	}
	if err := checkSegment(ctx, tx, w.app, s); err != nil {
		return err
	}
	h := theSegment(w.app, s.Key)
	if row.Version, err = h.next(ctx, tx); err != nil {
		return err
	}
	if row.Definition, err = encodeSegment(s); err != nil {
		return err
	}
	row.UpdatedAt = tx.Now()
	s.ID, s.Version, s.AppID, s.Entity = id.ID(row.ID), row.Version, w.app, entity(row.CreatedAt, row.UpdatedAt)
	return errors.Join(tx.PutFlagSegment(ctx, row), h.remember(ctx, tx, row.Version, action, row.Definition, w.user))
}

// checkSegment compiles a segment as it would be. The segments it refers to are stored already, so a circle can only go
// through itself.
func checkSegment(ctx context.Context, tx driver.Tx, app string, s *Segment) error {
	if err := CheckKey(s.Key); err != nil {
		return err
	}
	if len(s.Description) > 4096 {
		return fault.New(fault.TooLarge, "a description has at most 4096 bytes").At(fault.Where{Field: "description"})
	}
	_, err := newSegmentCompiler(storedSegments(ctx, tx, app)).compile(s)
	return err
}

// GetFlagSegment returns a segment.
func (t *Table) GetFlagSegment(ctx context.Context, key, appID string) (s *Segment, err error) {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		s, err = storedSegments(ctx, tx, c.App)(key)
		return err
	})
	return s, err
}

// ListFlagSegments returns an app's segments by key.
func (t *Table) ListFlagSegments(ctx context.Context, appID string, opts ListOpts) (out []*Segment, err error) {
	if appID == "" {
		appID = opts.AppID
	}
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return nil, err
	}
	limit, err := opts.limit()
	if err != nil {
		return nil, err
	}
	err = t.st.View(ctx, func(tx driver.Tx) error {
		rows, err := tx.ListFlagSegments(ctx, c.App, driver.Shared, opts.After, limit+opts.Offset)
		if err != nil {
			return err
		}
		for _, r := range rows[min(opts.Offset, len(rows)):] {
			s, err := decodeSegment(r)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	})
	return out, err
}

// DeleteFlagSegment removes a segment. One that a rule or another segment refers to stays (Conflict).
func (t *Table) DeleteFlagSegment(ctx context.Context, key, appID string) error {
	c, err := who.Of(ctx, appID, "")
	if err != nil {
		return err
	}
	return t.deleteSegment(ctx, author{app: c.App, user: c.User}, key)
}

func (t *Table) deleteSegment(ctx context.Context, w author, key string) error {
	return t.update(ctx, w.also, func(tx driver.Tx) error {
		row, err := tx.FlagSegment(ctx, w.app, driver.Shared, key)
		if errors.Is(err, driver.ErrNotFound) {
			return noSegment(key)
		}
		if err != nil {
			return err
		}
		if err := errors.Join(w.expects("segment", key, row.Version), checkUnreferred(ctx, tx, w.app, key)); err != nil {
			return err
		}
		return errors.Join(tx.DeleteFlagSegment(ctx, w.app, driver.Shared, key), theSegment(w.app, key).forget(ctx, tx, w.user))
	})
}

// rollbackSegment writes what a segment was at a version as a new one. One that was deleted comes back.
func (t *Table) rollbackSegment(ctx context.Context, w author, key string, version int64) (s *Segment, err error) {
	err = t.update(ctx, w.also, func(tx driver.Tx) error {
		v, err := theSegment(w.app, key).body(ctx, tx, version, noSegment(key))
		if err != nil {
			return err
		}
		if s, err = decodeSegment(driver.FlagSegmentRow{App: w.app, Name: key, Definition: v.Body}); err != nil {
			return err
		}
		return putSegment(ctx, tx, w, s, "rollback")
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// refers reports whether one of the conditions names a segment.
func refers(conditions []Condition, key string) bool {
	return slices.ContainsFunc(conditions, func(c Condition) bool { return c.Op == OpInSegment && slices.Contains(c.Values, any(key)) })
}

// checkUnreferred refuses to delete a segment that something refers to.
func checkUnreferred(ctx context.Context, tx driver.Tx, app, key string) error {
	inUse := func(what, by string) error {
		return fault.New(fault.Conflict, "the segment %s is used by the %s %s", key, what, by).WithHint("change that one first")
	}
	err := everyFlag(ctx, tx, app, func(r driver.FlagRow) error {
		rules, err := decodeRules(r)
		if err != nil {
			return nil // one that cannot be read uses nothing
		}
		for _, rule := range rules {
			if refers(rule.Config.Conditions, key) {
				return inUse("flag", r.Name)
			}
		}
		return nil
	})
	for after := ""; err == nil; {
		var rows []driver.FlagSegmentRow
		if rows, err = tx.ListFlagSegments(ctx, app, driver.Shared, after, maxPage); err != nil {
			return err
		}
		for _, r := range rows {
			after = r.Name
			if s, err := decodeSegment(r); err == nil && r.Name != key && refers(s.Conditions, key) {
				return inUse("segment", r.Name)
			}
		}
		if len(rows) < maxPage {
			return nil
		}
	}
	return err
}
