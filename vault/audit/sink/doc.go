// Package sink copies audit entries to other systems: a file of JSON lines, syslog, a webhook, OpenTelemetry logs. The store
// stays the sink of truth; these follow it.
//
// A [Runner] per sink reads what is on disk (audit.Feed) and hands it on in batches. It never holds up a request, and a sink
// that does not answer delays no other. It delivers each entry at least once, those of a chain in order: an entry's id tells a
// repetition. How far it has got is kept in the store, so that it goes on after a restart. When it falls behind further than
// it may, it sounds an alarm and goes on trying; nothing is dropped.
//
// What leaves the process goes through egress. Personal fields are sent as they are stored, blinded, unless the sink is asked
// to send them in clear: destroying a tenant's keys reaches no copy in another system.
package sink
