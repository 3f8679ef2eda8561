package keyring

import (
	"context"
	"os"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/internal/base"
)

// nextSuffix is added to a variable's name for the key that is to follow.
const nextSuffix = "_NEXT"

// EnvRoot provides the root key in an environment variable ("" means [DefaultVariable]): 32 bytes in base64 or hex. It
// never makes one, and its errors never quote the variable's value.
//
// It is a [Rotator] of which the operator does two parts: before, the next key goes into a second variable (HAYWARD_ROOT_KEY_NEXT)
// and the server is started again; afterwards the first variable gets that key and the second is removed. Until then the
// former key still exists, and with it whoever has an old copy of the keys can open what they open. [WithKeyFile] needs
// neither part.
func EnvRoot(variable string) Rotator {
	if variable == "" {
		variable = DefaultVariable
	}
	return envRoot(variable)
}

type envRoot string

func (v envRoot) Root(context.Context, bool) (Root, error) {
	root, err := readVariable(string(v))
	if err == nil && root.IsZero() {
		return Root{}, noRoot("the environment variable %s is not set", string(v))
	}
	return root, err
}

// Next implements [Rotator].
func (v envRoot) Next(_ context.Context, create bool) (Root, error) {
	root, err := readVariable(string(v) + nextSuffix)
	if err == nil && root.IsZero() && create {
		return Root{}, fault.New(fault.Unsupported, "there is no next root key in the environment").
			WithHint("put 32 new random bytes in base64 into %s, as from: head -c 32 /dev/urandom | base64; start the server again "+
				"with both variables, and change the root key then", string(v)+nextSuffix)
	}
	return root, err
}

// Promote implements [Rotator].
func (v envRoot) Promote(_ context.Context, rootID string) (string, error) {
	for _, variable := range []string{string(v), string(v) + nextSuffix} {
		if root, err := readVariable(variable); err == nil && !root.IsZero() && root.ID() == rootID {
			return "set " + string(v) + " to the key that " + string(v) + nextSuffix + " holds, remove the latter, and destroy every copy of the former key", nil
		}
	}
	return "", fault.Wrap(fault.Unavailable, base.ErrWrongRootKey, "neither %s nor %s holds the root key %s",
		string(v), string(v)+nextSuffix, rootID).WithHint("put the right root key back; nothing has been changed")
}

// readVariable returns the zero Root for a variable that is not set.
func readVariable(variable string) (Root, error) {
	text, ok := os.LookupEnv(variable)
	if !ok || text == "" {
		return Root{}, nil
	}
	key, err := parseKey(text)
	if err != nil {
		return Root{}, fault.Wrap(fault.Invalid, base.ErrInvalidKey,
			"the environment variable %s does not hold 32 bytes in base64 or hex", variable).
			WithHint("make one with: head -c 32 /dev/urandom | base64")
	}
	return NewRoot(key, "the environment variable "+variable)
}
