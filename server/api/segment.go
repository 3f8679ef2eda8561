package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/haywardhq/hayward/auth/policy"
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/server/router"
	"github.com/haywardhq/hayward/vault/flag"
)

func (d *Door) segmentRoutes() []router.Route {
	const tag, root = "flag segments", "/api/v1/flag-segments"
	return []router.Route{
		{Method: http.MethodGet, Path: root, Handler: d.listSegments, Action: policy.FlagManage, Tag: tag,
			Summary: "List the app's segments", Params: pageParams, Answers: SegmentList{}},
		{Method: http.MethodPut, Path: root + "/{key}", Handler: d.defineSegment, Action: policy.FlagManage, Tag: tag,
			Summary: "Create a segment or change it: every flag that refers to it sees it at once", Accepts: body(segmentExample{}), Answers: flag.Segment{}},
		{Method: http.MethodGet, Path: root + "/{key}", Handler: d.getSegment, Action: policy.FlagManage, Tag: tag,
			Summary: "Describe a segment", Answers: flag.Segment{}},
		{Method: http.MethodDelete, Path: root + "/{key}", Handler: d.deleteSegment, Action: policy.FlagManage, Tag: tag,
			Summary: "Delete a segment that nothing refers to", Params: ifVersion},
		{Method: http.MethodGet, Path: root + "/{key}/versions", Handler: d.segmentVersions, Action: policy.FlagManage, Tag: tag,
			Summary: "List a segment's versions", Answers: RevisionList{}},
		{Method: http.MethodPost, Path: root + "/{key}/rollback", Handler: d.rollbackSegment, Action: policy.FlagManage, Tag: tag,
			Summary: "Make a segment what it was at a version", Accepts: body(RollbackBody{}), Answers: flag.Segment{}},
	}
}

// SegmentList is a page of segments.
type SegmentList struct {
	Segments []*flag.Segment `json:"segments"`
	Next     string          `json:"next,omitempty"`
}

// SegmentBody is a segment. Its conditions are decoded with every digit of their numbers.
type SegmentBody struct {
	Description string          `json:"description,omitempty"`
	Conditions  json.RawMessage `json:"conditions"`
	Any         bool            `json:"any,omitempty"`        // one condition is enough; otherwise all must hold
	IfVersion   *int64          `json:"if_version,omitempty"` // fail unless this version is current; 0: unless there is none
}

// segmentExample describes a SegmentBody.
type segmentExample struct {
	Description string           `json:"description,omitempty"`
	Conditions  []flag.Condition `json:"conditions"`
	Any         bool             `json:"any,omitempty"`
	IfVersion   *int64           `json:"if_version,omitempty"`
}

func (d *Door) listSegments(ctx context.Context, r *router.Request) (any, error) {
	limit, err := intParam(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	list, err := d.Flags.ListSegments(ctx, flag.ListOpts{Limit: limit, After: r.URL.Query().Get("after")})
	if err != nil {
		return nil, err
	}
	out := SegmentList{Segments: append([]*flag.Segment{}, list...)}
	if len(list) == limit {
		out.Next = list[len(list)-1].Key
	}
	return out, nil
}

func (d *Door) defineSegment(ctx context.Context, r *router.Request) (any, error) {
	var b SegmentBody
	if err := r.Decode(&b); err != nil {
		return nil, err
	}
	s := &flag.Segment{Key: r.PathValue("key"), Description: b.Description, Any: b.Any}
	if b.Conditions == nil {
		return nil, fault.New(fault.Invalid, "the conditions are missing").At(fault.Where{Field: "conditions"})
	}
	if err := digits(b.Conditions, &s.Conditions); err != nil {
		return nil, fault.New(fault.Invalid, "the conditions cannot be read: %s", firstLine(err)).At(fault.Where{Field: "conditions"}).
			WithHint("a list of objects with attribute, op and values")
	}
	compare(s.Conditions)
	return answer(s, d.Flags.DefineSegment(ctx, s, expect(b.IfVersion)...))
}

func (d *Door) getSegment(ctx context.Context, r *router.Request) (any, error) {
	return answer(d.Flags.GetSegment(ctx, r.PathValue("key")))
}

func (d *Door) deleteSegment(ctx context.Context, r *router.Request) (any, error) {
	opts, err := expectParam(r)
	if err != nil {
		return nil, err
	}
	return nil, d.Flags.DeleteSegment(ctx, r.PathValue("key"), opts...)
}

func (d *Door) segmentVersions(ctx context.Context, r *router.Request) (any, error) {
	list, err := d.Flags.SegmentHistory(ctx, r.PathValue("key"))
	return answer(RevisionList{list}, err)
}

func (d *Door) rollbackSegment(ctx context.Context, r *router.Request) (any, error) {
	b, err := rollbackBody(r)
	if err != nil {
		return nil, err
	}
	return answer(d.Flags.RollbackSegment(ctx, r.PathValue("key"), b.Version, expect(b.IfVersion)...))
}
