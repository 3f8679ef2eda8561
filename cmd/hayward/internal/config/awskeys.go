package config

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/haywardhq/hayward/sealed"
)

// AWSKeys are the keys of an AWS account in a file that is read again when it changes: temporary keys, and keys that somebody
// replaces, are used from then on without a new start. It is safe for concurrent use.
type AWSKeys struct{ f followed[awsKeys] }

type awsKeys struct{ id, secret, token sealed.Value }

// OpenAWSKeys reads the keys in a file that its owner alone may use (0600); the setting is named in errors. The file is of the
// form that AWS's own tools write, with one part at most:
//
//	[default]
//	aws_access_key_id = AKIA...
//	aws_secret_access_key = ...
//	aws_session_token = ...
//
// The token may be missing. Whoever replaces the file should write another one and rename it.
func OpenAWSKeys(setting, path string) (*AWSKeys, error) {
	k := &AWSKeys{followed[awsKeys]{setting: setting, path: path, parse: parseAWSKeys}}
	_, err := k.f.get()
	return k, err
}

// Keys returns what the file holds now. A file that is gone, or no such file any more, is an error: the keys that were in it
// are not used any longer.
func (k *AWSKeys) Keys(context.Context) (id, secret, token sealed.Value, err error) {
	keys, err := k.f.get()
	return keys.id, keys.secret, keys.token, err
}

// parseAWSKeys says what is wrong without quoting a value.
func parseAWSKeys(b []byte) (out awsKeys, wrong string) {
	fields := map[string]*sealed.Value{"aws_access_key_id": &out.id, "aws_secret_access_key": &out.secret, "aws_session_token": &out.token}
	parts, n := 0, 0
	for line := range bytes.Lines(b) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' && line[len(line)-1] == ']' {
			if parts++; parts > 1 || !out.id.IsZero() || !out.secret.IsZero() || !out.token.IsZero() {
				return awsKeys{}, fmt.Sprintf("line %d begins another part; it has one at most", n)
			}
			continue
		}
		name, value, ok := bytes.Cut(line, []byte("="))
		field := fields[strings.ToLower(string(bytes.TrimSpace(name)))]
		value = bytes.TrimSpace(value)
		switch {
		case !ok || field == nil:
			return awsKeys{}, fmt.Sprintf("line %d is none of aws_access_key_id, aws_secret_access_key and aws_session_token, with = and a value", n)
		case !field.IsZero():
			return awsKeys{}, fmt.Sprintf("line %d gives a value again", n)
		case !printable(value):
			return awsKeys{}, fmt.Sprintf("line %d has no value, or one with spaces or odd characters", n)
		}
		*field = sealed.New(value)
	}
	if out.id.IsZero() || out.secret.IsZero() {
		return awsKeys{}, "aws_access_key_id or aws_secret_access_key is missing"
	}
	return out, ""
}

func printable(value []byte) bool {
	return len(value) > 0 && !bytes.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
}
