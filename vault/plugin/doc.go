// Package plugin lets a program add to the vault: a [Plugin] implements any of eight capability interfaces, a [Registry] finds
// out which, and the services ask it. A registry is given to the whole vault (vault.WithPlugins) or to single services
// (secret.WithPlugins, config.WithPlugins), which know it by small interfaces of their own.
//
// Plugins are part of the program: nothing is loaded (house rule: no code comes from a file). One that panics is an error of
// the call, not of the program.
package plugin
