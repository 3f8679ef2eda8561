package jinja

import (
	"strings"

	"github.com/haywardhq/hayward/pipeline/value"
)

// tokenKind is the sort of a token, named as Jinja's messages name it.
type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokData
	tokVarBegin
	tokVarEnd
	tokBlockBegin
	tokBlockEnd
	tokName
	tokString
	tokInteger
	tokFloat
	tokAdd
	tokAssign
	tokColon
	tokComma
	tokDiv
	tokDot
	tokEq
	tokFloorDiv
	tokGt
	tokGtEq
	tokLBrace
	tokLBracket
	tokLParen
	tokLt
	tokLtEq
	tokMod
	tokMul
	tokNe
	tokPipe
	tokPow
	tokRBrace
	tokRBracket
	tokRParen
	tokSemicolon
	tokSub
	tokTilde
	tokBad // the lexer stops here; the parser may find a mistake before it
)

var tokenNames = map[tokenKind]string{
	tokEOF: "end of template", tokData: "template data / text", tokVarBegin: "begin of print statement",
	tokVarEnd: "end of print statement", tokBlockBegin: "begin of statement block",
	tokBlockEnd: "end of statement block", tokName: "name", tokString: "string", tokInteger: "integer",
	tokFloat: "float", tokAdd: "+", tokAssign: "=", tokColon: ":", tokComma: ",", tokDiv: "/", tokDot: ".",
	tokEq: "==", tokFloorDiv: "//", tokGt: ">", tokGtEq: ">=", tokLBrace: "{", tokLBracket: "[", tokLParen: "(",
	tokLt: "<", tokLtEq: "<=", tokMod: "%", tokMul: "*", tokNe: "!=", tokPipe: "|", tokPow: "**", tokRBrace: "}",
	tokRBracket: "]", tokRParen: ")", tokSemicolon: ";", tokSub: "-", tokTilde: "~",
}

// operatorAt lists operators, longest first, as the lexer tries them.
var operatorAt = []struct {
	text string
	kind tokenKind
}{
	{"//", tokFloorDiv}, {"**", tokPow}, {"==", tokEq}, {"!=", tokNe}, {">=", tokGtEq}, {"<=", tokLtEq},
	{"+", tokAdd}, {"-", tokSub}, {"/", tokDiv}, {"*", tokMul}, {"%", tokMod}, {"~", tokTilde}, {"[", tokLBracket},
	{"]", tokRBracket}, {"(", tokLParen}, {")", tokRParen}, {"{", tokLBrace}, {"}", tokRBrace}, {">", tokGt},
	{"<", tokLt}, {"=", tokAssign}, {".", tokDot}, {":", tokColon}, {"|", tokPipe}, {",", tokComma}, {";", tokSemicolon},
}

// token is one token; val is set for integers and floats.
type token struct {
	kind tokenKind
	line int
	text string
	val  value.Value
}

// describe names a token in a message.
func (t token) describe() string {
	if t.kind == tokName {
		return t.text
	}
	return tokenNames[t.kind]
}

func (t token) is(name string) bool { return t.kind == tokName && t.text == name }

// normalizeNewlines turns \r\n and \r into \n.
func normalizeNewlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
