// Package source is where values may come from besides the vault's own rows: memory, the environment, a directory of
// mounted secrets, the stores of this wing; with an SDK or much wire, OpenBao and HashiCorp Vault (openbao next door) and
// AWS Secrets Manager (awssm). A [Chain] asks several in order, a [Cache] and a [Breaker] stand before one that is far
// away, and [Tenants] gives each tenant a part of one that no other tenant can name.
//
//	Chain ─ first hit wins
//	  ├─ Tenants.For(app, tenant) ─ Cache ─ Breaker ─ openbao
//	  └─ Env
//
// A source only reads. A value comes sealed, and goes nowhere until somebody says where: sources know no tenants, no roles
// and no audit, which is for who uses them (host, or the services of this wing). Every source passes the suite in
// sourcetest. The room is on the published list of importers of sealed/reveal because it compares two values of one key to
// tell a watcher of a change, and counts the bytes that a cache keeps.
package source
