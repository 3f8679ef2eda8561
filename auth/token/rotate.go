package token

import (
	"context"
	"time"

	"github.com/haywardhq/hayward/db"
	"github.com/haywardhq/hayward/fault"
)

// prepare makes sure that there is an active and a next key, and remembers the longest token lifetime the active key
// has been used with: it decides how long the key must be kept once retired.
func (r *ring) prepare(ctx context.Context) error {
	first, err := r.create(ctx)
	if err != nil {
		return err
	}
	second, err := r.create(ctx)
	if err != nil {
		return err
	}
	err = r.db.Update(ctx, func(tx *db.Tx) error {
		rows, err := readKeys(ctx, tx)
		if err != nil {
			return err
		}
		if pick(rows, StateActive) == nil {
			if err := r.insert(ctx, tx, r.activated(first)); err != nil {
				return err
			}
		}
		if pick(rows, StateNext) == nil {
			if err := r.insert(ctx, tx, second); err != nil {
				return err
			}
		}
		tx.Notify(topic, r.name)
		_, err = tx.Exec(ctx, "UPDATE auth_signing_key SET longest = ? WHERE state = ? AND longest < ?",
			r.o.Lifetime.Microseconds(), StateActive, r.o.Lifetime.Microseconds())
		return err
	})
	if err != nil {
		return err
	}
	return r.load(ctx)
}

func (r *ring) activated(k row) row {
	k.state, k.activated, k.longest = StateActive, r.now(), r.o.Lifetime.Microseconds()
	return k
}

func (r *ring) insert(ctx context.Context, tx *db.Tx, k row) error {
	_, err := tx.Exec(ctx, "INSERT INTO auth_signing_key "+
		"(kid, state, public_jwk, private_key, published, activated, remove_at, longest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", k.kid, k.state, k.public, k.private, k.published, k.activated, k.removal, k.longest)
	return err
}

// rotate makes next active and active retired, and publishes a new next key, in one transaction: two nodes cannot both
// do it. It refuses while next has not been published for the overlap, and while active has not signed for age.
func (r *ring) rotate(ctx context.Context, age time.Duration) error {
	fresh, err := r.create(ctx)
	if err != nil {
		return err
	}
	err = r.db.Update(ctx, func(tx *db.Tx) error {
		rows, err := readKeys(ctx, tx)
		if err != nil {
			return err
		}
		tx.Notify(topic, r.name)
		active, next := pick(rows, StateActive), pick(rows, StateNext)
		if active == nil || next == nil {
			return fault.New(fault.Internal, "the key set holds no active or no next key")
		}
		if r.now() < active.activated+age.Microseconds() {
			return fault.New(fault.Conflict, "the signing key was rotated already")
		}
		if wait := time.Duration(next.published-r.now())*time.Microsecond + r.o.Overlap; wait > 0 {
			return fault.New(fault.Conflict, "the next signing key was published too recently to be used").
				WithHint("rotate again in %s, when everybody's cached key set has it", wait.Round(time.Second))
		}
		if err := r.retire(ctx, tx, *active); err != nil {
			return err
		}
		return r.promote(ctx, tx, *next, fresh)
	})
	if err != nil {
		return err
	}
	return r.load(ctx)
}

// retire keeps k for verifying until every token it signed has expired, by the longest lifetime it was used with.
func (r *ring) retire(ctx context.Context, tx *db.Tx, k row) error {
	keep := max(r.o.Retention, time.Duration(k.longest)*time.Microsecond+r.o.Skew)
	_, err := tx.Exec(ctx, "UPDATE auth_signing_key SET state = ?, remove_at = ? WHERE kid = ?",
		StateRetired, r.now()+keep.Microseconds(), k.kid)
	return err
}

func (r *ring) promote(ctx context.Context, tx *db.Tx, next, fresh row) error {
	next = r.activated(next)
	_, err := tx.Exec(ctx, "UPDATE auth_signing_key SET state = ?, activated = ?, longest = ? WHERE kid = ?",
		next.state, next.activated, next.longest, next.kid)
	if err != nil {
		return err
	}
	return r.insert(ctx, tx, fresh)
}

// drop removes a key at once. If it was the active one, the next key takes over without waiting for the overlap: this is
// for a key that somebody else may hold.
func (r *ring) drop(ctx context.Context, kid string) error {
	fresh, err := r.create(ctx)
	if err != nil {
		return err
	}
	err = r.db.Update(ctx, func(tx *db.Tx) error {
		rows, err := readKeys(ctx, tx)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "DELETE FROM auth_signing_key WHERE kid = ?", kid)
		if err != nil {
			return err
		}
		tx.Notify(topic, r.name)
		next := pick(rows, StateNext)
		switch {
		case n == 0:
			return fault.New(fault.NotFound, "there is no such signing key")
		case next == nil:
			return fault.New(fault.Internal, "the key set holds no next key")
		case next.kid == kid:
			return r.insert(ctx, tx, fresh)
		case pick(rows, StateActive).kid == kid:
			return r.promote(ctx, tx, *next, fresh)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.load(ctx)
}

// sweep forgets retired keys whose time is over. Verification refuses them anyway.
func (r *ring) sweep(ctx context.Context) error {
	var n int64
	err := r.db.Update(ctx, func(tx *db.Tx) (err error) {
		n, err = tx.Exec(ctx, "DELETE FROM auth_signing_key WHERE state = ? AND remove_at <= ?", StateRetired, r.now())
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	return r.load(ctx)
}
