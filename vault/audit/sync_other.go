//go:build !unix

package audit

func syncDir(string) error { return nil }
