package jinja

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/value"
)

// pyErr is a Python exception on its way through a template.
type pyErr struct {
	class string // "UndefinedError", "TypeError", ...
	msg   string
	line  int
	kind  fault.Kind
	hint  string
	cause error
}

// Error returns "Class: message".
func (e *pyErr) Error() string { return e.class + ": " + e.msg }

// Unwrap returns the error underneath, if any.
func (e *pyErr) Unwrap() error { return e.cause }

func raise(class, format string, args ...any) error {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	return &pyErr{class: class, msg: msg, kind: fault.Failed}
}

func typeErr(format string, args ...any) error  { return raise("TypeError", format, args...) }
func valueErr(format string, args ...any) error { return raise("ValueError", format, args...) }

// filterArgErr is jinja2.exceptions.FilterArgumentError.
func filterArgErr(format string, args ...any) error {
	return raise("FilterArgumentError", format, args...)
}

// templateErr is jinja2.exceptions.TemplateRuntimeError.
func templateErr(format string, args ...any) error {
	return raise("TemplateRuntimeError", format, args...)
}

func syntaxErr(line int, format string, args ...any) error {
	e := raise("TemplateSyntaxError", format, args...).(*pyErr)
	e.kind, e.line = fault.Invalid, line
	return e
}

// assertionErr is TemplateAssertionError, the compile-time error for templates that parse but cannot work.
func assertionErr(line int, format string, args ...any) error {
	e := syntaxErr(line, format, args...).(*pyErr)
	e.class = "TemplateAssertionError"
	return e
}

func unsupported(line int, format string, args ...any) error {
	e := raise("Unsupported", format, args...).(*pyErr)
	e.kind, e.line = fault.Unsupported, line
	return e
}

// limitErr says which limit was hit.
func limitErr(name, format string, args ...any) error {
	e := raise("TemplateLimit", format, args...).(*pyErr)
	e.kind = fault.TooLarge
	e.hint = "Make the template do less, or raise Limits." + name + "."
	return e
}

// errClass returns the Python class of an error, or "".
func errClass(err error) string {
	var e *pyErr
	if errors.As(err, &e) {
		return e.class
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code
	}
	return ""
}

// catchable reports whether err is one of the named Python exceptions. Limits and cancellation never are.
func catchable(err error, classes ...string) bool {
	var e *pyErr
	if errors.As(err, &e) && e.kind == fault.TooLarge {
		return false
	}
	got := errClass(err)
	for _, c := range classes {
		if got == c {
			return true
		}
	}
	return false
}

// atLine notes the template line of an error that has none.
func atLine(err error, line int) error {
	switch e := err.(type) {
	case *pyErr:
		if e.line == 0 {
			e.line = line
		}
	case *fault.Error:
		kind := e.Kind
		if kind == fault.Invalid && e.Code != "" { // a Python exception: the template failed, its source is valid
			kind = fault.Failed
		}
		return &pyErr{class: e.Code, msg: e.Message, line: line, kind: kind, hint: e.Hint, cause: e}
	}
	return err
}

// public turns an error of the evaluator into a fault: Code is the Python class, Message the Python text, Where the line.
func public(err error, name string) error {
	if err == nil {
		return nil
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Wrap(fault.Canceled, err, "the template was stopped: the caller went away")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Timeout, err, "the template was stopped: its time is up")
	}
	var e *pyErr
	if !errors.As(err, &e) {
		return err
	}
	f := &fault.Error{Kind: e.kind, Code: e.class, Message: e.msg, Hint: e.hint}
	f.Where.Position = fault.Position{File: name, Line: e.line}
	return f
}

// typeName is the name of a value's type as Python's interpreter says it.
func typeName(v value.Value) string {
	if g, ok := v.(*genericAlias); ok {
		return g.Class()
	}
	return value.TypeName(v)
}

// quote is Python's repr of a name inside a message.
func quote(s string) string { return value.Repr(value.Str(s)) }

// noAttribute is what Python says where it asks a value for an attribute that is not there. A method asks its function, a
// class tells its own name, and a namespace says no more than the attribute's.
func noAttribute(v value.Value, name string) error {
	owner := "'" + typeName(v) + "' object"
	switch v := v.(type) {
	case *namespace:
		return raise("AttributeError", "%s", name)
	case *goFunc:
		if v.class != "" {
			owner = "type object '" + v.class[strings.LastIndexByte(v.class, '.')+1:] + "'"
		} else {
			owner = "'function' object"
		}
	case *genericAlias:
		owner = "type object 'dict'"
	case *boundMethod:
		if v.python() {
			owner = "'function' object"
		}
	}
	return raise("AttributeError", "%s has no attribute '%s'", owner, name)
}

// notMapping is the error of calling items() of a value that is no dict.
func (r *run) notMapping(v value.Value) error {
	items, err := r.pyAttr(v, "items")
	if err == nil && items != nil {
		if _, err = r.callValue(items, &args{}); err == nil {
			return unsupported(0, "items() of a %s is not supported here", typeName(v))
		}
	}
	if err != nil {
		return err
	}
	return noAttribute(v, "items")
}
