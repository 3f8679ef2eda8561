// Package config is the settings of the server, each in three places: a flag, a HAYWARD_ variable and a line of one YAML
// file, in that order of precedence. One struct, [Config], names them all with a sentence each; flags, variables, the
// file's keys and the table in docs/settings.md come from it.
//
// Nothing here is guessed: an unknown key or variable, a value that cannot be read and settings that contradict each
// other are errors, and all of them are reported at once. Secrets are no settings: the root key comes from a variable or
// its own file, passwords and keys come through the package tui next door.
package config
