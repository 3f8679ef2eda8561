// Package maintext finds the main text of a web page: navigation, footers, forms and boxes of links are left out, what
// remains is written one paragraph a line. It does for HTMLToDocument what the Python library trafilatura does for
// Haystack; the words are compared with it, the layout is close to it.
//
// The Go port of that library was measured and not taken: through its date parser it costs 350 to 550 ms and 78 MB at
// every start of the process, and 14 MB of binary.
package maintext
