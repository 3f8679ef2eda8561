// Command bench takes the first measurement: what the engine costs per component, what a request costs with login, policy,
// secrets and audit on beside Python Hayhooks with none of them, what an audited read of a secret costs, how fast the
// program starts, and what a tenant weighs.
//
// Everything runs on loopback, in one run, driven by one client, so that figures compare with each other and not with
// another machine's. Nothing fails because it is slow: goals are printed beside the figures. Hayhooks is left out, in so
// many words, where its Python is missing (see internal/parts).
package main
