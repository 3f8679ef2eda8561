package host

import (
	"context"
	"strconv"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/session"
	"github.com/haywardhq/hayward/vault/audit"
	"github.com/haywardhq/hayward/vault/scope"
)

// ForgetSession removes a conversation of the caller's own. One that does not exist is not found.
func (h *Host) ForgetSession(ctx context.Context, id string) error {
	c, err := scope.Strict(ctx)
	if err != nil {
		return err
	}
	entry, err := h.c.Gate.Enter(ctx, audit.Request{Caller: c, Action: "session.forget", Resource: "session", Name: id})
	if err != nil {
		return err
	}
	kept, ok := h.c.Sessions.(interface {
		Forget(ctx context.Context, app, tenant, user, session string) (int64, error)
	})
	if !ok {
		return finish(ctx, entry, fault.New(fault.Unsupported, "this server keeps no sessions"))
	}
	if err := session.CheckID(id); err != nil {
		return finish(ctx, entry, err)
	}
	n, err := kept.Forget(ctx, c.App, c.Tenant, c.User, id)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "there is no session '%s'", id).WithCode("SessionNotFound")
	}
	entry.Note(audit.Detail{Key: "messages", Value: strconv.FormatInt(n, 10)})
	return finish(ctx, entry, err)
}
