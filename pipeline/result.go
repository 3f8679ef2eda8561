package pipeline

import (
	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/sealed"
)

// Result is what a run gave. [Plan.Run] returns one in any case, so that what was used before a failure can be audited.
type Result struct {
	// Outputs holds, by component, the outputs that no other component consumed, and everything of the components asked for
	// by [IncludeOutputsFrom]: {component: {socket: value}}. After an error it holds what there was until then.
	Outputs *value.Dict
	// Secrets lists every secret that was found, or refused, in the order of the requests.
	Secrets []SecretUse
	// Warnings are what Haystack only logs: unmatched inputs, undeclared outputs, a pipeline that stopped early.
	Warnings []string
	// Steps is how many times a component ran.
	Steps int
	// Snapshot is where a run stopped that was asked to ([BreakAt], [KeepSnapshot]); else nil.
	Snapshot *Snapshot
	// Ledger is the run's account; nil when nobody asked for it ([RunContext]).
	Ledger *Ledger
}

// SecretUse says that a secret was used, never what it is.
type SecretUse struct {
	Name        string // the variable's name in the pipeline
	Layer       string // which layer had it: [LayerRun], [LayerInit], [LayerAmbient], or the back end's own word
	Destination sealed.Destination
	Component   string
	Type        string
	Param       string
	Denied      bool // it was there, but may not go to Destination
}
