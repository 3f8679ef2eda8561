//go:build !linux

package pg

import "syscall"

func boundSending(string, string, syscall.RawConn) error { return nil }
