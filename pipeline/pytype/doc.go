// Package pytype is Python's type annotations as Haystack writes and compares them: parsing type strings, printing them
// back, deciding whether a sender's type fits a receiver's and by which conversion (haystack/core/type_utils.py,
// haystack/utils/type_serialization.py, 3.4.0). It knows types, not values.
package pytype
