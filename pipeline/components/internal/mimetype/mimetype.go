package mimetype

import (
	"maps"
	"path"
	"strings"
)

// Table maps extensions to types. It is immutable.
type Table struct{ more map[string]string }

// With returns a table that also knows the given extensions (".msg"), and prefers them.
func With(more map[string]string) *Table { return &Table{maps.Clone(more)} }

// office are the formats that Python's own table gained later, and that machines' tables have.
var office = map[string]string{
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".odt":  "application/vnd.oasis.opendocument.text",
	".epub": "application/epub+zip",
	".rtf":  "application/rtf",
	".flac": "audio/flac",
	".ogg":  "audio/ogg",
	".yaml": "application/yaml",
	".yml":  "application/yaml",
}

// The compressions that a name may end in: the type is that of what was compressed.
var (
	suffixes   = map[string]string{".svgz": ".svg.gz", ".tgz": ".tar.gz", ".taz": ".tar.gz", ".tz": ".tar.gz", ".tbz2": ".tar.bz2", ".txz": ".tar.xz"}
	encodings  = map[string]bool{".gz": true, ".Z": true, ".bz2": true, ".xz": true, ".br": true}
	lowerTable = []map[string]string{known, office}
)

// Guess returns the type, or "" when it is not known.
func (t *Table) Guess(name string) string {
	base, ext := split(name)
	if long, ok := suffixes[ext]; ok {
		base, ext = split(base + long)
	}
	if typ, ok := custom[strings.ToLower(ext)]; ok {
		return typ
	}
	if encodings[ext] {
		_, ext = split(base)
	}
	if typ, ok := t.more[ext]; ok {
		return typ
	}
	if typ, ok := t.more[strings.ToLower(ext)]; ok {
		return typ
	}
	for _, table := range lowerTable {
		if typ, ok := table[strings.ToLower(ext)]; ok {
			return typ
		}
	}
	return ""
}

// split is Python's splitext: a name that only begins with dots has no extension.
func split(name string) (base, ext string) {
	file := path.Base(strings.ReplaceAll(name, "\\", "/"))
	i := strings.LastIndexByte(file, '.')
	if i < 0 || strings.Trim(file[:i], ".") == "" {
		return name, ""
	}
	ext = file[i:]
	return strings.TrimSuffix(name, ext), ext
}
