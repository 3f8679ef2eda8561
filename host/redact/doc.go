// Package redact removes the secrets that were resolved during a run from whatever that run says: outputs, streams,
// errors, logs.
//
// It is hygiene, not a wall: the wall is that a value only opens towards its destination. A provider that echoes a key
// in an error, or a prompt that asks a model to repeat one, is what this catches. Values of at least [MinLength] bytes
// are looked for as they are, JSON-escaped, URL-escaped, in hexadecimal and in base64 at each of its three alignments.
//
// Values that a caller brought himself are never added: removing them would tell him, byte by byte, whether his guess
// equals somebody's secret.
package redact
