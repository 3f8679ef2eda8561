package db

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
)

// nested reports whether its caller is inside a write already, which would wait for itself, for ever and in silence. It is asked
// only while somebody writes anyway. For a write in its caller's own goroutine the stack alone tells, so that a write inside
// one of another database is refused, too, if both are busy.
func (d *DB) nested() bool {
	var pcs [128]uintptr
	for skip := 2; ; skip += len(pcs) { // however deep the write inside is
		n := runtime.Callers(skip, pcs[:])
		for frames, more := runtime.CallersFrames(pcs[:n]), n > 0; more; {
			var f runtime.Frame
			f, more = frames.Next()
			switch {
			case strings.HasSuffix(f.Function, "/db.(*DB).inTurn"):
				return d.inline.Load()
			case strings.HasSuffix(f.Function, "/db.(*DB).writeLoop"):
				return d.loopID.Load() == goroutineID()
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// goroutineID returns the number of the calling goroutine. It costs what printing its stack does.
func goroutineID() uint64 {
	var buf [40]byte
	text := buf[:runtime.Stack(buf[:], false)] // "goroutine 18 [running]:..."
	text = bytes.TrimPrefix(text, []byte("goroutine "))
	if i := bytes.IndexByte(text, ' '); i > 0 {
		text = text[:i]
	}
	id, _ := strconv.ParseUint(string(text), 10, 64)
	return id
}
