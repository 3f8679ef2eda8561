// Package pytype is Python's type annotations as Haystack writes and compares them: parsing type strings, printing them
// back, deciding whether a sender's type fits a receiver's and by which conversion (haystack/core/type_utils.py,
// haystack/utils/type_serialization.py, 3.4.0 under Python 3.11). It knows types, not values: converting a value is the
// engine's work, next door in pipeline/engine.
//
// Names are looked up in a closed table (classes_table.go): nothing is ever imported, so a type string cannot reach
// code. What Haystack compares loosely is compared loosely here as well.
package pytype
