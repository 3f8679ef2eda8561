// Package pycsv reads CSV as Python's csv.reader does with the excel dialect (Modules/_csv.c): quotes inside a field,
// text after a closing quote and unfinished quotes are taken as they are, a blank line is a row without fields.
package pycsv
