package config

import (
	"fmt"
	"strings"
)

// Markdown returns the page docs/settings.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Settings\n\nEvery setting is a flag of `hayward serve`, a variable and a line of the YAML file that `--" + FileFlag + "` or `" +
		FileVariable + "` names.\nA flag wins over a variable, a variable over the file. Lists have commas between their items in flags and variables, and are YAML\n" +
		"lists in the file. An empty variable counts as not set.\n\n| setting | variable | type | default | meaning |\n|---|---|---|---|---|\n")
	for _, s := range Settings() {
		def := ""
		if s.Default != "" {
			def = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", s.Name, s.Env, s.Type, def, s.Help)
	}
	b.WriteString("\nThe root key itself is no setting: it comes from the variable `" + RootKeyVariable + "`, from a file, or from a file that a service wrapped, never\n" +
		"from a flag or this file. `" + NextRootKeyVariable + "` holds the key that is to follow while one in a variable is changed.\n\n" +
		"Commands that work on the files of a server that does not run (`operator create`, `restore`, `audit verify --data-dir`) take the settings of\n" +
		"the data, the database and the root key in the same three ways; their `--help` lists the common ones.\n")
	return b.String()
}
