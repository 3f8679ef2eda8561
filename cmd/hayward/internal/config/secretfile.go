package config

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// maxSecretFile bounds a file that holds one secret of the server's own.
const maxSecretFile = 16 << 10

// SecretFile reads a secret of the server's own from a file that its owner alone may use (0600), without the line's end. An
// empty path is the zero value. The setting is named in errors.
func SecretFile(setting, path string) (sealed.Value, error) {
	if path == "" {
		return sealed.Value{}, nil
	}
	b, _, err := readPrivate(setting, path)
	if err != nil {
		return sealed.Value{}, err
	}
	defer clear(b)
	line, wrong := oneLine(b)
	if wrong != "" {
		return sealed.Value{}, fault.New(fault.Invalid, "the file of the setting %s, %s: %s", setting, path, wrong)
	}
	return sealed.New(line), nil
}

func oneLine(b []byte) (line []byte, wrong string) {
	line = bytes.TrimRight(b, "\r\n")
	if len(line) == 0 || bytes.ContainsAny(line, "\r\n") {
		return nil, fmt.Sprintf("it holds no single line of 1 to %d bytes", maxSecretFile)
	}
	return line, ""
}

// SecretDocument is [SecretFile] for a secret of several lines, such as a service account's key; it is taken as it is.
func SecretDocument(setting, path string) (sealed.Value, error) {
	b, _, err := readPrivate(setting, path)
	if err != nil {
		return sealed.Value{}, err
	}
	defer clear(b)
	if len(bytes.TrimSpace(b)) == 0 {
		return sealed.Value{}, fault.New(fault.Invalid, "the file of the setting %s, %s, is empty", setting, path)
	}
	return sealed.New(b), nil
}

// readPrivate reads a file that its owner alone may use, and says which file it was.
func readPrivate(setting, path string) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the file of the setting %s cannot be read", setting)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the file of the setting %s cannot be read", setting)
	}
	if loose(info.Mode()) {
		return nil, nil, fault.New(fault.Invalid, "others than its owner may use the file of the setting %s, %s", setting, path).
			WithHint("chmod 600 %s", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil || len(b) > maxSecretFile {
		clear(b)
		return nil, nil, fault.New(fault.Invalid, "the file of the setting %s, %s, cannot be read, or has more than %d bytes", setting, path, maxSecretFile)
	}
	return b, info, nil
}
