// Command flags measures what a flag with three rules costs: a list of users, a list of tenants, a quarter of the tenants,
// where the third decides. Hayward's vault/flag stands beside a bare loop that does the same work (the floor) and beside
// GO Feature Flag, GrowthBook, LaunchDarkly's server SDK and flagd, all in one process and in turns, so that a busy machine
// slows all of them; what counts is the ratio to the floor, the median of ten rounds.
//
// It is a module of its own, so that the product depends on none of its peers: run it with "go run ." in this folder.
// The tests of vault/flag hold the law of the rollout; nothing here is a test.
package main
