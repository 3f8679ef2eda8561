// Package egress is the only way out of the process: one guarded dialer and one HTTP client for everything that leaves
// (model calls, fetchers, tools, discovery, webhooks, audit sinks).
//
// The guard looks at the address a connection is really made to, after name resolution, so that neither DNS rebinding
// nor a clever spelling of an address gets around it: private, loopback, link-local and otherwise special ranges are
// refused unless the operator allowed that very host and port ([Policy]). Proxy variables are not read.
//
// A request that carries a secret ([Credential]) is checked once more: the sealed value must be meant for the origin of
// the request's URL, it is opened on the last line before the wire, and a redirect is never followed.
//
// An import-direction test keeps net.Dial, http.DefaultClient and http.Transport out of every other room. This room is
// ground: it knows no tenant and no noun; who may allow what is the host's business.
package egress
