// Package rotation replaces secrets on a schedule: which secret, how often and by what is a [Policy]; doing it is a
// [Manager]'s, over every tenant of every app; doors use [Service].
//
// A rotation is a run of steps, and where it stands is a row of the store, written before and after each step:
//
//	        Create              Set               Test              promote             Retire
//	idle ----------> creating ----------> pending ------> set ------> tested ------> current ------> idle
//	     run begins            new version        outside    new one     new version    grace ends, the
//	     (token is kept)       is staged          changed    works       is served      former is retired
//
// The new value is staged as a version of the secret, kept and not served, before anything outside changes: whatever
// happens then, it is known. A crash between any two steps is resumed where it was, by this process or another; the step
// that was cut off is repeated with the same idempotency token. The simple form of a rotator, a function from the current
// value to the next ([Rotator]), has the first step only, and must not change anything outside; what does, is [Staged].
//
// Among several processes on one store a lease decides who has a rotation in hand. Each lease has a fencing token that rises,
// every write carries it, and a write under a lease that was given to somebody since is refused. A step that fails is tried
// again later and later ([WithBackoff]), and each failure is a [Record].
//
// Values are sealed, and opened only on their way into a rotator. Encryption and versions are secret's next door, who may is
// the gate's, the record audit's, the rows the store's. Rotators that reach outside are in folders below: postgresrole,
// webhook, jwtkeys.
package rotation
