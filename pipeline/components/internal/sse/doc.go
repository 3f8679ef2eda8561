// Package sse reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from a source
// that is not trusted: lines, events and the whole stream are bounded.
package sse
