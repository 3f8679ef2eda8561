package component

import "context"

// Call is a paid call that a component is about to make, at its worst.
type Call struct {
	Model string // as the provider is asked for it, for the price table
	In    int64  // tokens that are sent, at most
	Out   int64  // tokens that may come back, at most; 0 when nothing bounds them
}

// Usage is what a paid call has used.
type Usage struct {
	In  int64 // tokens sent
	Out int64 // tokens received
	// Estimated says that the component counted, because the provider did not tell.
	Estimated bool
}

// Meter keeps a run's account and guards its budget. The engine gives one to runs that have either; components use
// [Env.Reserve]. It is safe for several goroutines.
type Meter interface {
	// Reserve sets the worst case of a call aside. An error means that the call must not be made.
	Reserve(ctx context.Context, component string, call Call) (Reservation, error)
}

// Reservation is what was set aside for one call. It ends with exactly one of Settle and Release; whatever comes after the
// first of them is ignored.
type Reservation interface {
	// MaxOut is the number of tokens that may come back; 0 when nothing bounds them. For a call that named no bound of its
	// own it may be lower than what the provider would send: the component passes it on to the provider.
	MaxOut() int64
	// Progress says that out tokens have come back so far. What exceeds the reservation is taken from what is left of the
	// budget; an error means that it is spent, and that the component must stop reading.
	Progress(out int64) error
	// Settle replaces the worst case by what was used.
	Settle(used Usage)
	// Release says that the call cost nothing: it never left, or the provider refused it.
	Release()
}

// Metered reports whether anybody counts what this run pays for.
func (e *Env) Metered() bool { return e.Ports() != nil && e.Ports().Meter != nil }

// Reserve sets the worst case of a paid call aside before it is made. In a run that nobody meters it allows everything.
func (e *Env) Reserve(ctx context.Context, call Call) (Reservation, error) {
	if !e.Metered() {
		return unmetered{}, nil
	}
	return e.Ports().Meter.Reserve(ctx, e.Component(), call)
}

type unmetered struct{}

func (unmetered) MaxOut() int64        { return 0 }
func (unmetered) Progress(int64) error { return nil }
func (unmetered) Settle(Usage)         {}
func (unmetered) Release()             {}
