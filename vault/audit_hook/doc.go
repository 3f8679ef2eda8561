// Package audithook tells other systems of what the vault's services did, as events with the documented names. An [Extension]
// is a hook of the audit logger (audit.WithHook): it is called once an entry is on disk, for each action that has ended, and
// hands the event to a [Recorder].
//
// It is not the record: a recorder that fails changes nothing and is logged. What must not be lost is in the store; what must
// be delivered at least once goes through a sink (vault/audit/sink).
package audithook
