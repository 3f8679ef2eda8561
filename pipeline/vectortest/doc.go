// Package vectortest reads expected results recorded from Python Haystack: where they lie, the notation they use for
// data classes and tuples, and a comparison that says where two values differ. Tests import it, and nothing else does.
//
// The notation (README.md beside the vectors): {"$type": T, ...} is a data class by its to_dict, {"$tuple": [...]},
// {"$set": [...]}, {"$bytes": [...]}, {"$path": p}, {"$datetime": iso}, {"$date": iso} and {"$enum": "Class.NAME"} are what
// they say. A path is a str here: no component tells the two apart.
package vectortest
