package chat

import "bytes"

const (
	ooxml = "application/vnd.openxmlformats-officedocument."
	odf   = "application/vnd.oasis.opendocument."
	ole   = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
)

func documentSignatures() []signature {
	return []signature{
		checked("application/msword", isDoc),
		checked(ooxml+"wordprocessingml.document", func(b []byte) bool { return isOOXML(b, "word/") }),
		odfSignature("text"),
		checked("application/vnd.ms-excel", isXls),
		checked(ooxml+"spreadsheetml.sheet", func(b []byte) bool { return isOOXML(b, "xl/") }),
		odfSignature("spreadsheet"),
		checked("application/vnd.ms-powerpoint", isPpt),
		checked(ooxml+"presentationml.presentation", func(b []byte) bool { return isOOXML(b, "ppt/") }),
		odfSignature("presentation"),
	}
}

// odfSignature tells an OpenDocument file, whose first entry is its own MIME type.
func odfSignature(kind string) signature {
	return signature{mime: odf + kind, pieces: []piece{{0, "PK\x03\x04"}, {30, "mimetype" + odf + kind}}}
}

func has(b []byte, offset int, magic string) bool {
	return len(b) >= offset+len(magic) && string(b[offset:offset+len(magic)]) == magic
}

func isDoc(b []byte) bool {
	if len(b) <= 515 || !has(b, 0, ole) {
		return false
	}
	return has(b, 512, "\xec\xa5\xc1\x00") || len(b) > 2142 &&
		bytes.Contains(b[2075:2142], []byte("\x00\x0a\x00\x00\x00MSWordDoc\x00\x10\x00\x00\x00Word.Document.8\x00\xf49\xb2q"))
}

func isXls(b []byte) bool {
	if len(b) <= 520 || !has(b, 0, ole) {
		return false
	}
	return has(b, 512, "\xfd\xff\xff\xff") && (b[518] == 0 || b[518] == 2) || has(b, 512, "\x09\x08\x10\x00\x00\x06\x05\x00") ||
		len(b) > 2095 && bytes.Contains(b[1568:2095], []byte("\xe2\x00\x00\x00\x5c\x00\x70\x00\x04\x00\x00Calc"))
}

func isPpt(b []byte) bool {
	if len(b) <= 524 || !has(b, 0, ole) {
		return false
	}
	return has(b, 512, "\xa0\x46\x1d\xf0") || has(b, 512, "\x00\x6e\x1e\xf0") || has(b, 512, "\x0f\x00\xe8\x03") ||
		has(b, 512, "\xfd\xff\xff\xff") && has(b, 522, "\x00\x00") ||
		len(b) > 2096 && has(b, 2072, "\x00\xb9\x29\xe8\x11\x00\x00\x00MS PowerPoint 97")
}

// isOOXML looks for the folder of an Office file among the first entries of the archive.
func isOOXML(b []byte, folder string) bool {
	if !has(b, 0, "PK\x03\x04") {
		return false
	}
	if kind := officeFolder(b, 30); kind != "" {
		return kind == folder
	}
	if !has(b, 30, "[Content_Types].xml") && !has(b, 30, "_rels/.rels") && !has(b, 30, "docProps") {
		return false
	}
	at := 0
	for range 4 {
		start := at + 4
		end := min(start+6000, len(b))
		next := -1
		if start < end {
			next = bytes.Index(b[start:end], []byte("PK\x03\x04"))
		}
		if next < 0 {
			return false
		}
		at = start + next
		if officeFolder(b, at+30) == folder {
			return true
		}
	}
	return false
}

func officeFolder(b []byte, offset int) string {
	for _, folder := range []string{"word/", "ppt/", "xl/"} {
		if has(b, offset, folder) {
			return folder
		}
	}
	return ""
}
