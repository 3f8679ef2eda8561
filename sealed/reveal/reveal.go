package reveal

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
	"github.com/haywardhq/hayward/sealed/internal/door"
)

// For returns the bytes of v for sending them to dest, or an error that names both sides if v may not go there. The
// caller owns the copy.
func For(v sealed.Value, dest sealed.Destination) ([]byte, error) {
	if v.IsZero() {
		return nil, fault.New(fault.Invalid, "there is no value to send to %s", dest)
	}
	if !v.Allows(dest) {
		return nil, MismatchError(v, dest)
	}
	return door.Open(v), nil
}

// MismatchError says that v may not be sent to dest, and where it may be sent.
func MismatchError(v sealed.Value, dest sealed.Destination) *fault.Error {
	allowed, decided := v.Destinations()
	err := fault.New(fault.Denied, "this value may not be sent to %s", dest)
	switch {
	case !decided:
		err = fault.New(fault.Denied, "this value may not be sent to %s: nobody has said where it may go", dest)
	case len(allowed) > 0:
		err = fault.New(fault.Denied, "this value may not be sent to %s: it is for %s", dest, join(allowed))
	}
	return err.WithCode("DestinationMismatch").WithHint("whoever set the value can change its destinations")
}

func join(dests []sealed.Destination) string {
	out := ""
	for i, d := range dests {
		if i > 0 {
			out += ", "
		}
		out += d.String()
	}
	return out
}

// Inside returns the bytes of v for use inside this process: encrypting, hashing, comparing, signing, redacting. They
// must never reach a wire from there. The caller owns the copy.
func Inside(v sealed.Value) []byte {
	if v.IsZero() {
		return nil
	}
	return door.Open(v)
}
