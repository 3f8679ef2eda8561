package base

import "time"

// Entity holds the two times that every stored noun has, in UTC.
type Entity struct {
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// NewEntity returns an Entity created now.
func NewEntity() Entity {
	now := time.Now().UTC()
	return Entity{CreatedAt: now, UpdatedAt: now}
}

// Touch sets UpdatedAt to now.
func (e *Entity) Touch() { e.UpdatedAt = time.Now().UTC() }
