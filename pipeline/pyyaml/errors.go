package pyyaml

import (
	"errors"
	"fmt"

	"github.com/haywardhq/hayward/fault"
)

// Class tells which part of PyYAML refuses a document. It is reachable with errors.As in every error of [Load] except
// those about limits; Haystack turns a ConstructorError into a TypeError of its own.
type Class string

// The classes, named as PyYAML's exceptions.
const (
	ReaderError      Class = "ReaderError"      // a character YAML does not allow, or bytes that are not UTF-8
	ScannerError     Class = "ScannerError"     // the text is not made of YAML tokens
	ParserError      Class = "ParserError"      // the tokens do not make a document
	ComposerError    Class = "ComposerError"    // anchors, aliases, more than one document
	ConstructorError Class = "ConstructorError" // a value that does not fit its tag
)

// Error returns nothing: a Class is kept inside another error, and adds no words to it.
func (Class) Error() string { return "" }

// ClassOf returns the class of an error of [Load]; empty if it has none.
func ClassOf(err error) Class {
	var c Class
	errors.As(err, &c)
	return c
}

// mark is a place in the text, 0-based.
type mark struct{ index, line, column int32 }

func (m mark) position(file string) fault.Position {
	return fault.Position{File: file, Line: int(m.line) + 1, Column: int(m.column) + 1}
}

func failure(class Class, file string, at mark, format string, args ...any) *fault.Error {
	return &fault.Error{Kind: fault.Invalid, Code: "YAMLError", Message: fmt.Sprintf(format, args...), Cause: class,
		Where: fault.Where{Position: at.position(file)}}
}

func tooLarge(file string, at mark, format string, args ...any) *fault.Error {
	return &fault.Error{Kind: fault.TooLarge, Code: "YAMLError", Message: fmt.Sprintf(format, args...),
		Where: fault.Where{Position: at.position(file)}}
}
