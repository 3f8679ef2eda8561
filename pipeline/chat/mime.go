package chat

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// headSize is how many bytes of a file may decide its type.
const headSize = 8192

// signature tells a MIME type: every piece must be where it says, in a file of more than min bytes. Where bytes alone do
// not tell, check decides.
type signature struct {
	mime   string
	min    int
	pieces []piece
	check  func(head []byte) bool
}

type piece struct {
	offset int
	magic  string
}

func starts(mime, magic string) signature {
	return signature{mime: mime, pieces: []piece{{0, magic}}}
}

func riff(mime, kind string) signature {
	return signature{mime: mime, pieces: []piece{{0, "RIFF"}, {8, kind}}}
}

func longer(s signature, min int) signature {
	s.min = min
	return s
}

func checked(mime string, check func([]byte) bool) signature {
	return signature{mime: mime, check: check}
}

// GuessMIME guesses a MIME type from the first bytes of a file, as the filetype package does that Haystack uses (the
// first match in its order counts); "" when it knows none.
func GuessMIME(data []byte) string {
	head := data[:min(len(data), headSize)]
	for _, s := range signatures() {
		if s.matches(head) {
			return s.mime
		}
	}
	return ""
}

func (s signature) matches(head []byte) bool {
	if len(head) <= s.min {
		return false
	}
	for _, p := range s.pieces {
		if len(head) < p.offset+len(p.magic) || string(head[p.offset:p.offset+len(p.magic)]) != p.magic {
			return false
		}
	}
	return s.check == nil || s.check(head)
}

// signatures lists images, audio, video, fonts, documents and archives in the order in which they are tried.
func signatures() []signature {
	return slices.Concat(imageSignatures(), mediaSignatures(), documentSignatures(), archiveSignatures())
}

func imageSignatures() []signature {
	return []signature{
		starts("image/vnd.dwg", "AC10"),
		starts("image/x-xcf", "gimp xcf v"),
		starts("image/jpeg", "\xff\xd8\xff"),
		{mime: "image/jpx", min: 50, pieces: []piece{{0, "\x00\x00\x00\x0c"}, {16, "ftypjp2 "}}},
		checked("image/apng", isAPNG),
		starts("image/png", "\x89PNG"),
		starts("image/gif", "GIF"),
		riff("image/webp", "WEBPVP"),
		checked("image/tiff", func(b []byte) bool { return isTIFF(b) && string(b[8:10]) != "CR" }),
		checked("image/x-canon-cr2", func(b []byte) bool { return isTIFF(b) && string(b[8:10]) == "CR" }),
		starts("image/bmp", "BM"),
		starts("image/vnd.ms-photo", "II\xbc"),
		starts("image/vnd.adobe.photoshop", "8BPS"),
		starts("image/x-icon", "\x00\x00\x01\x00"),
		checked("image/heic", func(b []byte) bool { return hasBrand(b, "heic") }),
		{mime: "application/dicom", pieces: []piece{{128, "DICM"}}},
		checked("image/avif", func(b []byte) bool { return hasBrand(b, "avif") }),
	}
}

func mediaSignatures() []signature {
	return []signature{
		starts("audio/aac", "\xff\xf1"), starts("audio/aac", "\xff\xf9"),
		starts("audio/midi", "MThd"),
		longer(starts("audio/mpeg", "ID3"), 2), longer(starts("audio/mpeg", "\xff\xf2"), 2),
		longer(starts("audio/mpeg", "\xff\xf3"), 2), longer(starts("audio/mpeg", "\xff\xfb"), 2),
		{mime: "audio/mp4", pieces: []piece{{4, "ftypM4A"}}}, longer(starts("audio/mp4", "M4A "), 10),
		starts("audio/ogg", "OggS"),
		starts("audio/x-flac", "fLaC"),
		riff("audio/x-wav", "WAVE"),
		longer(starts("audio/amr", "#!AMR\n"), 11),
		{mime: "audio/x-aiff", pieces: []piece{{0, "FORM"}, {8, "AIFF"}}},
		starts("video/3gpp", "ftyp3gp"),
		checked("video/mp4", isMP4),
		starts("video/x-m4v", "\x00\x00\x00\x1cftypM4V"),
		checked("video/x-matroska", func(b []byte) bool { return isEBML(b, "\x42\x82\x88matroska") }),
		checked("video/quicktime", func(b []byte) bool { return isISO(b) && string(b[8:12]) == "qt  " }),
		riff("video/x-msvideo", "AVI "),
		starts("video/x-ms-wmv", "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9"),
		checked("video/mpeg", func(b []byte) bool {
			return len(b) > 3 && string(b[:3]) == "\x00\x00\x01" && b[3] >= 0xb0 && b[3] <= 0xbf
		}),
		checked("video/webm", func(b []byte) bool { return isEBML(b, "\x42\x82\x84webm") }),
		starts("video/x-flv", "FLV\x01"),
		starts("application/font-woff", "wOFF\x00\x01\x00\x00"), starts("application/font-woff", "wOFFOTTO"),
		starts("application/font-woff", "wOFFtrue"), starts("application/font-woff", "wOF2\x00\x01\x00\x00"),
		starts("application/font-woff", "wOF2OTTO"), starts("application/font-woff", "wOF2true"),
		starts("application/font-sfnt", "\x00\x01\x00\x00\x00"), starts("application/font-sfnt", "OTTO\x00"),
	}
}

func archiveSignatures() []signature {
	return []signature{
		starts("application/x-brotli", "\xce\xb2\xcf\x81"),
		starts("application/x-rpm", "\xed\xab\xee\xdb"),
		{mime: "application/epub+zip", pieces: []piece{{0, "PK\x03\x04"}, {30, "mimetypeapplication/epub+zip"}}},
		checked("application/zip", isZip),
		{mime: "application/x-tar", pieces: []piece{{257, "ustar"}}},
		starts("application/x-rar-compressed", "Rar!\x1a\x07\x00"), starts("application/x-rar-compressed", "Rar!\x1a\x07\x01"),
		starts("application/gzip", "\x1f\x8b\x08"),
		starts("application/x-bzip2", "BZh"),
		starts("application/x-7z-compressed", "7z\xbc\xaf\x27\x1c"),
		starts("application/pdf", "%PDF"), longer(starts("application/pdf", "\xef\xbb\xbf%PDF"), 3),
		starts("application/x-msdownload", "MZ"),
		starts("application/x-shockwave-flash", "CWS"), starts("application/x-shockwave-flash", "FWS"),
		starts("application/rtf", "{\\rtf"),
		starts("application/x-nintendo-nes-rom", "NES\x1a"),
		starts("application/x-google-chrome-extension", "Cr24"),
		starts("application/vnd.ms-cab-compressed", "MSCF"), starts("application/vnd.ms-cab-compressed", "ISc("),
		{mime: "application/octet-stream", pieces: []piece{{8, "\x02\x00\x01"}, {34, "LP"}}},
		{mime: "application/octet-stream", pieces: []piece{{8, "\x01\x00\x00"}, {34, "LP"}}},
		{mime: "application/octet-stream", pieces: []piece{{8, "\x02\x00\x02"}, {34, "LP"}}},
		starts("application/postscript", "%!"),
		starts("application/x-xz", "\xfd7zXZ\x00"),
		starts("application/x-sqlite3", "SQLi"),
		starts("application/x-deb", "!<arch>\ndebian-binary"),
		starts("application/x-unix-archive", "!<arch>"),
		starts("application/x-compress", "\x1f\xa0"), starts("application/x-compress", "\x1f\x9d"),
		starts("application/x-lzop", "\x89LZO\x00\r\n\x1a"),
		starts("application/x-lzip", "LZIP"),
		longer(starts("application/x-executable", "\x7fELF"), 52),
		starts("application/x-lz4", "\x04\x22\x4d\x18"),
		checked("application/zstd", isZstd),
		starts("application/wasm", "\x00asm\x01\x00\x00\x00"),
	}
}

func isZip(b []byte) bool {
	return len(b) > 3 && string(b[:2]) == "PK" && bytes.IndexByte([]byte{3, 5, 7}, b[2]) >= 0 &&
		bytes.IndexByte([]byte{4, 6, 8}, b[3]) >= 0
}

// isZstd passes over skippable frames.
func isZstd(b []byte) bool {
	for {
		if len(b) > 3 && b[0] >= 0x22 && b[0] <= 0x28 && string(b[1:4]) == "\xb5\x2f\xfd" {
			return true
		}
		if len(b) < 8 || binary.LittleEndian.Uint32(b)&0xfffffff0 != 0x184d2a50 {
			return false
		}
		size := uint64(binary.LittleEndian.Uint32(b[4:])) + 8
		if uint64(len(b)) < size {
			return false
		}
		b = b[size:]
	}
}

func isTIFF(b []byte) bool {
	return len(b) > 9 && (string(b[:4]) == "II*\x00" || string(b[:4]) == "MM\x00*")
}

// isAPNG looks for an animation chunk before the picture itself.
func isAPNG(b []byte) bool {
	if len(b) <= 8 || string(b[:8]) != "\x89PNG\r\n\x1a\n" {
		return false
	}
	for i := 8; i+8 <= len(b); {
		size := int(binary.BigEndian.Uint32(b[i:]))
		switch string(b[i+4 : i+8]) {
		case "IDAT", "IEND":
			return false
		case "acTL":
			return true
		}
		i += size + 12
	}
	return false
}

func isEBML(b []byte, kind string) bool {
	return bytes.HasPrefix(b, []byte("\x1a\x45\xdf\xa3")) && bytes.Contains(b, []byte(kind))
}

// isISO reports whether b begins with the ftyp box of an ISO base media file.
func isISO(b []byte) bool {
	return len(b) >= 16 && string(b[4:8]) == "ftyp" && uint64(len(b)) >= uint64(binary.BigEndian.Uint32(b))
}

// compatible reports whether the ftyp box lists a brand beside its major one.
func compatible(b []byte, brand string) bool {
	for i := 16; i < int(binary.BigEndian.Uint32(b)) && i+4 <= len(b); i += 4 {
		if string(b[i:i+4]) == brand {
			return true
		}
	}
	return false
}

func hasBrand(b []byte, brand string) bool {
	if !isISO(b) {
		return false
	}
	major := string(b[8:12])
	return major == brand || (major == "mif1" || major == "msf1") && compatible(b, brand)
}

func isMP4(b []byte) bool {
	if !isISO(b) {
		return false
	}
	for _, brand := range []string{"mp41", "mp42", "isom"} {
		if string(b[8:12]) == brand || compatible(b, brand) {
			return true
		}
	}
	return false
}
