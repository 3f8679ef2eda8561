package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/haywardhq/hayward/vault/store/driver"
)

// Harness is how the suite gets at a store.
type Harness struct {
	// Open returns a fresh, empty store, closed at the end of the test.
	Open func(t *testing.T) driver.Store
	// Reopen closes a store as a crash would, without saying goodbye, and opens what it left. nil: nothing survives.
	Reopen func(t *testing.T, st driver.Store) driver.Store
	// Bytes returns every byte the store has written down, to look for plaintext in.
	Bytes func(t *testing.T, st driver.Store) []byte
	// Replica opens what a store keeps once more, as another process would, closed at the end of the test. nil: one process
	// at a time.
	Replica func(t *testing.T, st driver.Store) driver.Store
	// Break ends the connections of a store in the middle of what they do. nil: it has none.
	Break func(t *testing.T, st driver.Store)
}

// Run runs the whole suite.
func Run(t *testing.T, h Harness) {
	for _, tc := range []struct {
		name string
		test func(*testing.T, Harness)
	}{
		{"versions are kept in order and written once", testVersions},
		{"every call has its not-found twin", testTwins},
		{"owners whose names join to the same text are apart", testJoinedNames},
		{"a missing app or tenant is an error", testMissingOwner},
		{"a failed write leaves nothing", testRollback},
		{"what follows a commit", testAfterCommit},
		{"a read transaction cannot write", testReadOnly},
		{"rows are copies", testCopies},
		{"writers at the same time", testConcurrency},
		{"a tenant has one primary key", testPrimaryKey},
		{"the root row", testRoot},
		{"keys are listed, counted and removed", testKeyLists},
		{"the server's own keys", testSystemKeys},
		{"what became of a tenant's keys", testShreds},
		{"keys: a change is told", testKeysTold},
		{"keys change and end while values stay", testKeyLife},
		{"replicas: keys change and end", testKeyReplicas},
		{"an audit chain has one end", testAppend},
		{"audit entries are filtered and paged", testAuditList},
		{"audit: what is appended together reads as what comes one by one", testAuditTogether},
		{"audit: a store and a list of entries say the same", testAuditModel},
		{"audit: the trees of chains", testAuditTrees},
		{"audit: the checkpoints of a log", testAuditCheckpoints},
		{"audit: hashes, single entries, a tenant's chains", testAuditHashes},
		{"audit: cursors, keys, break-glass", testAuditBeside},
		{"audit: a missing owner, a failed write, a read transaction", testAuditOwner},
		{"no plaintext is written down", testCanary},
		{"a row in another place does not open", testMovedRows},
		{"an older version put back does not open", testRolledBackVersion},
		{"version numbers are not used twice", testNoReuse},
		{"secrets: every field is kept", testSecretRows},
		{"secrets: deleted, due, and under another key", testSecretLists},
		{"secrets: every further call has its not-found twin", testSecretTwins},
		{"what was acknowledged survives", testReopen},
		{"flags are kept and listed", testFlags},
		{"segments are kept and listed", testFlagSegments},
		{"flags keep their versions", testFlagVersions},
		{"segments and versions: every call has its not-found twin", testSegmentTwins},
		{"segments and versions: owners, failed writes, changes told", testSegmentWrites},
		{"config entries keep their versions", testConfigs},
		{"flags and config: every call has its not-found twin", testSettingTwins},
		{"flags and config: owners whose names join to the same text are apart", testSettingNames},
		{"flags and config: a missing app or tenant is an error", testSettingOwner},
		{"flags and config: a failed write leaves nothing and tells nobody", testSettingRollback},
		{"flags and config: a read transaction cannot write", testSettingReadOnly},
		{"flags and config: writers at the same time", testSettingConcurrency},
		{"flags and config: a change is told before its write returns", testWatch},
		{"flags and config: what was acknowledged survives", testSettingReopen},
		{"rotations: a lease has one holder", testRotationLease},
		{"rotations: a write under a lease that is over is refused", testRotationFence},
		{"rotations: what is due comes in order", testRotationDue},
		{"rotations: replicas share what is due", testRotationReplicas},
		{"rotations: policies are kept and listed", testRotationPolicies},
		{"rotations: records are kept and pruned", testRotationRecords},
		{"rotations: every call has its not-found twin", testRotationTwins},
		{"rotations: a missing owner, a read transaction", testRotationOwner},
		{"rotations: a failed write leaves nothing, the others survive", testRotationRollback},
		{"replicas see what the others wrote", testReplicasSee},
		{"replicas lose no update", testReplicasCount},
		{"replicas: an audit chain has one end", testReplicasAppend},
		{"replicas: a change is heard within a second", testReplicasHear},
		{"replicas: what was missed is said", testReplicasResync},
		{"a connection that breaks in a write", testBreak},
		{"connections that break again and again", testBreaks},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.test(t, h) })
	}
}

func update(t *testing.T, st driver.Store, fn func(context.Context, driver.Tx) error) {
	t.Helper()
	if err := st.Update(t.Context(), func(tx driver.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, st driver.Store, fn func(context.Context, driver.Tx) error) {
	t.Helper()
	if err := st.View(t.Context(), func(tx driver.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func head(app, tenant, name string) driver.SecretRow {
	return driver.SecretRow{App: app, Tenant: tenant, Name: name, ID: "sec_" + name, Latest: 1, Current: 1, Mark: []byte("mark"), CreatedAt: 1, UpdatedAt: 2}
}

func version(app, tenant, name string, n int64) driver.SecretVersion {
	return driver.SecretVersion{App: app, Tenant: tenant, Name: name, Version: n, ID: "ver", KeyID: "key_1", Algorithm: "alg",
		Ciphertext: []byte{byte(n), 2, 3}, Destinations: "[]", Metadata: "{}", CreatedAt: n, CreatedBy: "ann"}
}

func key(app, tenant, id string, primary bool) driver.KeyRow {
	return driver.KeyRow{App: app, Tenant: tenant, ID: id, RootID: "root", Wrapped: []byte(id), Primary: primary, CreatedAt: 3}
}

func entry(c driver.Chain, seq int64, id string) driver.AuditRow {
	return driver.AuditRow{Chain: c, Seq: seq, ID: id, At: 100 + seq, User: "ann", IP: "::1", RequestID: "req", Action: "secret.get",
		Resource: "secret", Name: "K", Outcome: "ok", Details: "[]", Hash: []byte(id), MAC: []byte("mac")}
}

// owner fills every table for one owner.
func owner(ctx context.Context, tx driver.Tx, app, tenant, name string) error {
	c := driver.Chain{App: app, Tenant: tenant, Node: "n", Epoch: 1}
	added, err := tx.AppendAudit(ctx, nil, []driver.AuditRow{entry(c, 1, app+tenant+name)})
	if err == nil && !added {
		err = errors.New("an empty chain refused its first entry")
	}
	return errors.Join(err, tx.PutSecret(ctx, head(app, tenant, name)), tx.AddSecretVersion(ctx, version(app, tenant, name, 1)),
		tx.PutKey(ctx, key(app, tenant, name, true)))
}
