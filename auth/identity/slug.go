package identity

import (
	"slices"

	"github.com/google/uuid"

	"github.com/haywardhq/hayward/fault"
)

// alwaysReserved are the slugs with a meaning of their own. A host adds the first path segments of its router.
var alwaysReserved = []string{"default", "operator", "shared", "system"}

// Reserved returns the slugs that are reserved on every server.
func Reserved() []string { return slices.Clone(alwaysReserved) }

const maxSlug = 40

// CheckSlug reports why s is not of the form [a-z0-9]([a-z0-9-]{0,38}[a-z0-9]), or nil. It does not look at reserved
// names.
func CheckSlug(s string) error {
	ok := len(s) >= 2 && len(s) <= maxSlug && s[0] != '-' && s[len(s)-1] != '-'
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z'
	}
	if !ok {
		return fault.New(fault.Invalid, "the slug is not well formed").At(fault.Where{Field: "slug"}).
			WithHint("use 2 to %d lower-case letters, digits and hyphens, with a letter or digit at both ends", maxSlug)
	}
	return nil
}

func (s *Store) checkNewSlug(slug string) error {
	if err := CheckSlug(slug); err != nil {
		return err
	}
	if s.reserved[slug] {
		return fault.New(fault.Invalid, "the slug %q is reserved", slug).At(fault.Where{Field: "slug"}).
			WithHint("choose another one")
	}
	return nil
}

// newID returns an id that has never been and will never be given out: a kind and a UUID of version 7, whose order is
// the order of creation.
func newID(kind string) string { return kind + "_" + uuid.Must(uuid.NewV7()).String() }
