// Command testsum runs "go test" on every package and ends with what a person wants to know: what failed, which suites
// lack a part, and how many tests ran. A package that fails without a failing test counts as one failure. With CI=true it
// adds -race. It exits 1 when anything failed, and when nothing ran.
package main
