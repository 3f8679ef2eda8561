package flag

import (
	"context"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
	"github.com/haywardhq/hayward/vault/store/driver"
)

// DefineSegment creates a segment or changes it, for an operator. s.AppID may be empty. The next evaluation of every flag that
// refers to it sees it.
func (s *Service) DefineSegment(ctx context.Context, seg *Segment, opts ...WriteOption) error {
	if seg == nil {
		return fault.New(fault.Invalid, "there is no segment")
	}
	c, p, err := s.enter(ctx, "flag.define_segment", seg.Key, true, audit.Detail{Key: "conditions", Value: strconv.Itoa(len(seg.Conditions))})
	if err != nil {
		return err
	}
	if seg.AppID != "" && seg.AppID != c.App {
		return p.EndErr(ctx, fault.New(fault.Invalid, "the segment names another app than the call").WithCode("scope"))
	}
	return done(ctx, p, s.table.defineSegment(ctx, by(c, p, opts), seg, "define"))
}

// GetSegment returns a segment, for an operator: it may name tenants and users.
func (s *Service) GetSegment(ctx context.Context, key string) (*Segment, error) {
	c, p, err := s.enter(ctx, "flag.get_segment", key, true)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, p, func(tx driver.Tx) (*Segment, error) { return storedSegments(ctx, tx, c.App)(key) })
}

// ListSegments returns the app's segments by key, for an operator.
func (s *Service) ListSegments(ctx context.Context, opts ListOpts) ([]*Segment, error) {
	c, p, err := s.enter(ctx, "flag.list_segments", "", true)
	if err != nil {
		return nil, err
	}
	out, err := s.table.ListFlagSegments(scope.WithCaller(ctx, scope.Caller{App: c.App}), c.App, opts)
	if err := p.EndErr(ctx, err); err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteSegment removes a segment, for an operator. One that a rule or another segment refers to stays (Conflict).
func (s *Service) DeleteSegment(ctx context.Context, key string, opts ...WriteOption) error {
	c, p, err := s.enter(ctx, "flag.delete_segment", key, true)
	if err != nil {
		return err
	}
	return done(ctx, p, s.table.deleteSegment(ctx, by(c, p, opts), key))
}

// SegmentHistory returns a segment's versions, oldest first, for an operator; also those of one that was deleted.
func (s *Service) SegmentHistory(ctx context.Context, key string) ([]*Revision, error) {
	c, p, err := s.enter(ctx, "flag.segment_history", key, true)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, p, func(tx driver.Tx) ([]*Revision, error) {
		return theSegment(c.App, key).revisions(ctx, tx, noSegment(key))
	})
}

// RollbackSegment makes a segment what it was at a version, for an operator. That is a new version. One that was deleted
// comes back.
func (s *Service) RollbackSegment(ctx context.Context, key string, to int64, opts ...WriteOption) (*Segment, error) {
	c, p, err := s.enter(ctx, "flag.rollback_segment", key, true, atVersion(to))
	if err != nil {
		return nil, err
	}
	seg, err := s.table.rollbackSegment(ctx, by(c, p, opts), key, to)
	return seg, done(ctx, p, err)
}
