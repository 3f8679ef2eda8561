package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/sealed"
)

// AddFlags gives fs a flag for every setting, and --config for the file.
func AddFlags(fs *pflag.FlagSet) {
	fs.String(FileFlag, "", "YAML file with settings, one per line (variable "+FileVariable+")")
	for _, s := range Settings() {
		f := fs.VarPF(&rawFlag{kind: s.Type, text: s.defaults()}, s.Name, "", s.Help+" (variable "+s.Env+")")
		if s.Type == "yes/no" {
			f.NoOptDefVal = "true"
		}
	}
}

// dataSettings are the settings that a command needs which works on the files of a server: where the data is, and what opens
// it. The first of them are shown among the command's flags, the others are listed by 'hayward serve --help'.
var dataSettings = struct{ shown, prefixes []string }{
	[]string{"data-dir", "root-key-from", "root-key-file", "database-url", "database-password-file", "node-name"},
	[]string{"root-key-", "aws-kms-", "gcp-kms-", "transit-"},
}

// AddDataFlags gives fs the flags of the settings that say where the data is and what opens it, and --config, for a command
// that works on the files of a server. [Load] then reads flags, variables and file as for the server itself.
func AddDataFlags(fs *pflag.FlagSet) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddFlags(all)
	fs.AddFlag(all.Lookup(FileFlag))
	for _, s := range Settings() {
		f := all.Lookup(s.Name)
		shown := slices.Contains(dataSettings.shown, s.Name)
		if !shown && !slices.ContainsFunc(dataSettings.prefixes, func(p string) bool { return strings.HasPrefix(s.Name, p) }) {
			continue
		}
		f.Hidden = !shown
		fs.AddFlag(f)
	}
}

// rawFlag keeps a flag's text as it was written; reading it is the setting's business, in one place for all sources.
type rawFlag struct {
	kind    string
	text    []string
	changed bool
}

func (f *rawFlag) Type() string   { return f.kind }
func (f *rawFlag) String() string { return strings.Join(f.text, ",") }

// Set keeps s. A list's flag may be repeated.
func (f *rawFlag) Set(s string) error {
	if f.kind != "list" {
		f.text = []string{s}
		return nil
	}
	if !f.changed {
		f.text = nil
	}
	f.changed, f.text = true, append(f.text, splitList(s)...)
	return nil
}

// source is where a value came from, for sentences about it.
type source struct {
	texts []string
	from  string
}

// Load reads the settings from flags made with [AddFlags], from environ ("NAME=value", as os.Environ) and from the file
// that --config or HAYWARD_CONFIG names, and validates them. An empty variable counts as not set. A HAYWARD_ variable that
// is neither a setting nor in alsoKnown is an error. Every problem is reported, as one Invalid fault.
func Load(fs *pflag.FlagSet, environ []string, alsoKnown ...string) (Config, error) {
	var c Config
	var problems []string
	vars := variables(environ)
	path := vars[FileVariable]
	if f := fs.Lookup(FileFlag); f != nil && f.Changed {
		path = f.Value.String()
	}
	inFile, more := readFile(path)
	problems = append(problems, more...)
	problems = append(problems, unknownVariables(vars, alsoKnown)...)
	for _, s := range bind(&c) {
		src := s.pick(fs, vars, inFile)
		if err := s.set(src.texts); err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", src.from, err))
			_ = s.set(s.defaults()) // so that one mistake is one problem
		}
	}
	if key := vars[RootKeyVariable]; key != "" {
		c.RootKey = sealed.NewString(key)
	}
	if word := vars[DatabasePasswordVariable]; word != "" {
		c.DatabasePassword = sealed.NewString(word)
	}
	if problems = append(problems, c.problems()...); len(problems) > 0 {
		return Config{}, report(problems)
	}
	return c, nil
}

func report(problems []string) error {
	if len(problems) == 1 {
		return fault.New(fault.Invalid, "%s", problems[0]).WithCode("settings").WithHint("hayward serve --help lists every setting")
	}
	return fault.New(fault.Invalid, "%d settings are wrong:\n  %s", len(problems), strings.Join(problems, "\n  ")).WithCode("settings").
		WithHint("hayward serve --help lists every setting")
}

// pick returns the value that wins.
func (s Setting) pick(fs *pflag.FlagSet, vars map[string]string, inFile map[string]source) source {
	if f := fs.Lookup(s.Name); f != nil && f.Changed {
		if raw, ok := f.Value.(*rawFlag); ok {
			return source{raw.text, "flag --" + s.Name}
		}
	}
	if text := vars[s.Env]; text != "" {
		if s.Type == "list" {
			return source{splitList(text), "variable " + s.Env}
		}
		return source{[]string{text}, "variable " + s.Env}
	}
	if src, ok := inFile[s.Name]; ok {
		return src
	}
	return source{s.defaults(), s.Name}
}

func variables(environ []string) map[string]string {
	out := map[string]string{}
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, "HAYWARD_") {
			out[name] = value
		}
	}
	return out
}

func unknownVariables(vars map[string]string, alsoKnown []string) (problems []string) {
	known := append([]string{FileVariable, RootKeyVariable, NextRootKeyVariable, DatabasePasswordVariable}, alsoKnown...)
	for _, s := range Settings() {
		known = append(known, s.Env)
	}
	for name := range vars {
		if !slices.Contains(known, name) {
			problems = append(problems, fmt.Sprintf("variable %s: there is no such setting%s", name, suggest(name, known)))
		}
	}
	slices.Sort(problems)
	return problems
}

// readFile returns the settings of a YAML file by name.
func readFile(path string) (map[string]source, []string) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, []string{fmt.Sprintf("the settings file cannot be read: %v", err)}
	}
	return parseFile(path, b)
}
