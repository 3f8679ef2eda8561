//go:build unix

package audit

import "os"

// syncDir makes the entry of a new or renamed file durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
