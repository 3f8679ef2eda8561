// Package jinja is Jinja2 3.1's sandboxed environment as Haystack uses it: templates in, text or Python values out,
// over the value model of pipeline/value. Source of the behaviour: Jinja2 3.1.6 with SandboxedEnvironment, MarkupSafe
// 3.0 and haystack/utils/jinja2_*.py of Haystack 3.4.
//
// A template goes through a lexer, a parser, the scope analysis of jinja2.idtracking and a compiler to Go closures. A
// compiled [Template] is immutable and may be rendered from many goroutines at once.
//
//	env := jinja.New(jinja.Options{})
//	tpl, err := env.Compile("Hello {{ name }}!", "greeting")
//	text, err := tpl.Render(ctx, value.NewDict("name", value.Str("World")))
//
// A template is hostile input. Nothing in Go is reachable from it but values, the methods listed here, and the
// attributes that a value.Object offers. Every render has [Limits] on work, depth, memory, text and time, and stops
// within them; nothing relies on recovering from a crash. Lists and dicts that come from outside are never changed: a
// template that calls a changing method on one works on a copy that only this render sees.
//
// What differs from Python, all of it out of the way: encode and decode know Unicode and single-byte encodings, not the
// Chinese, Japanese and Korean ones; there are no complex numbers, and no ranges of ints beyond 64 bits; markup that a
// native render returns becomes a str; two equal Markups are the same to sameas; a slice stands alone between its
// brackets; dict[...] has no mro; lipsum is refused; of several undefined keyword arguments of wordwrap, indent, min and
// max, under a strict undefined, another one may be named first. Addresses in the texts of objects are not printed.
//
// What the room is not: it loads no files (include, import and extends fail as in an environment without a loader), has
// no async mode and no translations. Chat messages live next door in chatext; Python's values in pipeline/value.
package jinja
