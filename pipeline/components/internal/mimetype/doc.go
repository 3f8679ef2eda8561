// Package mimetype guesses the MIME type of a file from its name, as Haystack does with Python's mimetypes. What a
// machine's own tables would add is left out, but for the office formats that every such table has.
package mimetype
