package jinja

import (
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/haywardhq/hayward/pipeline/value"
)

func filterUrlize(r *run, a []value.Value) (value.Value, error) {
	u := urlizer{r: r, trim: a[1]}
	nofollow, err := truthArg(a[2], false)
	if err != nil {
		return nil, err
	}
	if u.attrs, err = r.linkAttrs(a[4], a[3], nofollow); err != nil {
		return nil, err
	}
	if !value.IsNone(a[5]) {
		schemes, err := r.list(a[5])
		if err != nil {
			return nil, err
		}
		for _, s := range schemes {
			text, ok := str(s)
			if !ok {
				return nil, typeErr("expected string or bytes-like object, got '%s'", typeName(s))
			}
			if !isScheme(text) {
				return nil, filterArgErr("%s is not a valid URI scheme prefix.", value.Repr(s))
			}
			u.schemes = append(u.schemes, text)
		}
	}
	m, err := r.escape(a[0])
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for s := m.text; s != ""; {
		word := strings.IndexFunc(s, value.IsSpace)
		if word < 0 {
			word = len(s)
		}
		out := u.word(s[:word])
		if u.err != nil {
			return nil, u.err
		}
		space := strings.IndexFunc(s[word:], func(c rune) bool { return !value.IsSpace(c) })
		if space < 0 {
			space = len(s) - word
		}
		if err := r.alloc(len(out) + space + word); err != nil {
			return nil, err
		}
		b.WriteString(out)
		b.WriteString(s[word : word+space])
		s = s[word+space:]
	}
	if r.autoescape {
		return markup{text: b.String()}, nil
	}
	return value.Str(b.String()), nil
}

// linkAttrs are the attributes rel and target of links.
func (r *run) linkAttrs(rel, target value.Value, nofollow bool) (string, error) {
	parts := []string{"noopener"}
	if nofollow {
		parts = append(parts, "nofollow")
	}
	given, err := truthArg(rel, false)
	if err != nil {
		return "", err
	}
	if given {
		s, ok := str(rel)
		if !ok {
			return "", noAttribute(rel, "split")
		}
		parts = append(parts, value.PySplit(s)...)
	}
	sort.Strings(parts)
	text, err := r.escapeText(strings.Join(slices.Compact(parts), " "))
	if err != nil {
		return "", err
	}
	out := ` rel="` + text + `"`
	if !value.IsNone(target) && value.Truthy(target) {
		m, err := r.escape(target)
		if err != nil {
			return "", err
		}
		out += ` target="` + m.text + `"`
	}
	return out, nil
}

// isScheme matches [\w.+-]{2,}:(/){0,2}.
func isScheme(s string) bool {
	head, tail, ok := strings.Cut(s, ":")
	return ok && utf8.RuneCountInString(head) >= 2 && len(tail) <= 2 && strings.Trim(tail, "/") == "" &&
		strings.IndexFunc(head, func(c rune) bool { return !value.IsWord(c) && !strings.ContainsRune(".+-", c) }) < 0
}

// urlizer turns words into links (jinja2.utils.urlize).
type urlizer struct {
	r       *run
	trim    value.Value // nil or None for no limit
	err     error
	attrs   string
	schemes []string
}

var opening = []string{"(", "<", "&lt;"}
var closing = []string{")", ">", ".", ",", "\n", "&gt;"}

// trimPrefixes cuts any number of the prefixes.
func trimPrefixes(s string, list []string) int {
	n := 0
	for again := true; again; {
		again = false
		for _, p := range list {
			if strings.HasPrefix(s[n:], p) {
				n, again = n+len(p), true
			}
		}
	}
	return n
}

func trimSuffixes(s string, list []string) int {
	n := len(s)
	for again := true; again; {
		again = false
		for _, p := range list {
			if strings.HasSuffix(s[:n], p) {
				n, again = n-len(p), true
			}
		}
	}
	return n
}

func (u *urlizer) word(word string) string {
	i := trimPrefixes(word, opening)
	head, middle := word[:i], word[i:]
	j := trimSuffixes(middle, closing)
	middle, tail := middle[:j], middle[j:]
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		starts := strings.Count(middle, pair[0])
		if starts <= strings.Count(middle, pair[1]) {
			continue
		}
		for n := min(starts, strings.Count(tail, pair[1])); n > 0; n-- {
			end := strings.Index(tail, pair[1]) + len(pair[1])
			middle, tail = middle+tail[:end], tail[end:]
		}
	}
	return head + u.link(middle) + tail
}

func (u *urlizer) shown(s string) string {
	if value.IsNone(u.trim) {
		return s
	}
	long, err := u.r.order(tokGt, value.Int(utf8.RuneCountInString(s)), u.trim, 0)
	if err == nil && long {
		var cut value.Value
		if cut, err = u.r.slice(value.Str(s), value.None, u.trim, value.None); err == nil {
			cutText, _ := str(cut)
			return cutText + "..."
		}
	}
	u.err = err
	return s
}

func (u *urlizer) link(s string) string {
	switch {
	case isURL(s):
		href := s
		if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
			href = "https://" + s
		}
		return `<a href="` + href + `"` + u.attrs + `>` + u.shown(s) + `</a>`
	case strings.HasPrefix(s, "mailto:") && isEmail(s[7:]):
		return `<a href="` + s + `">` + s[7:] + `</a>`
	case strings.Contains(s, "@") && !strings.HasPrefix(s, "www.") && !strings.HasPrefix(s, "@") &&
		!strings.Contains(s, ":") && isEmail(s):
		return `<a href="mailto:` + s + `">` + s + `</a>`
	}
	for _, scheme := range u.schemes {
		if s != scheme && strings.HasPrefix(s, scheme) {
			s = `<a href="` + s + `"` + u.attrs + `>` + s + `</a>`
		}
	}
	return s
}

// isEmail matches \S+@\w[\w.-]*\.\w+ in a word.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && emailHost(s[at+1:])
}

func emailHost(s string) bool {
	dot := strings.LastIndexByte(s, '.')
	if dot < 1 || dot == len(s)-1 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	notHost := func(c rune) bool { return !value.IsWord(c) && c != '.' && c != '-' }
	notWord := func(c rune) bool { return !value.IsWord(c) }
	return value.IsWord(first) && strings.IndexFunc(s[:dot], notHost) < 0 && strings.IndexFunc(s[dot+1:], notWord) < 0
}

// isURL is Jinja's pattern for web addresses, matched against a word without white space.
func isURL(s string) bool {
	lower := strings.ToLower(s)
	rest, scheme := s, ""
	for _, p := range []string{"https://", "http://", "www."} {
		if strings.HasPrefix(lower, p) {
			scheme, rest = p, s[len(p):]
			break
		}
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	bare, ok := cutPort(host)
	if !ok {
		return false
	}
	if scheme == "" {
		return basicDomain(bare)
	}
	if anyDomain(bare) {
		return true
	}
	return scheme != "www." && (isIPv4(bare) || isIPv6(host)) || scheme == "www." && basicDomain("www."+bare)
}

// cutPort takes ":1" to ":12345" off; an address in brackets keeps its colons.
func cutPort(host string) (string, bool) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, true
	}
	port := host[i+1:]
	n := utf8.RuneCountInString(port)
	if n < 1 || n > 5 || strings.IndexFunc(port, func(c rune) bool { return !unicode.Is(unicode.Nd, c) }) >= 0 {
		return "", false
	}
	return host[:i], true
}

func hostRune(c rune) bool { return value.IsWord(c) || c == '%' || c == '-' }

func labels(s string, least, most int) bool {
	if s == "" {
		return false
	}
	for _, l := range strings.Split(s, ".") {
		n := utf8.RuneCountInString(l)
		if n < least || n > most || strings.IndexFunc(l, func(c rune) bool { return !hostRune(c) }) >= 0 {
			return false
		}
	}
	return true
}

// anyDomain is a domain behind a scheme: labels, then two or more letters or an IDNA label.
func anyDomain(s string) bool {
	sub, tld := "", s
	if i := strings.LastIndexByte(s, '.'); i >= 0 {
		sub, tld = s[:i], s[i+1:]
		if !labels(sub, 1, 1<<30) {
			return false
		}
	}
	lower := strings.ToLower(tld)
	if strings.HasPrefix(lower, "xn--") {
		body := tld[4:]
		n := utf8.RuneCountInString(body)
		return n >= 2 && n <= 59 && strings.IndexFunc(body, func(c rune) bool { return !value.IsWord(c) && c != '%' }) < 0
	}
	return len(lower) >= 2 && len(lower) <= 63 && strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz") == ""
}

// basicDomain is a domain without a scheme, which must end in one of the well-known ways.
func basicDomain(s string) bool {
	i := strings.LastIndexByte(s, '.')
	if i < 0 || !labels(s[:i], 2, 63) {
		return false
	}
	return slices.Contains([]string{"com", "net", "int", "edu", "gov", "org", "info", "mil"}, strings.ToLower(s[i+1:]))
}

func isIPv4(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return false
	}
	for _, p := range parts {
		n := utf8.RuneCountInString(p)
		if n < 1 || n > 3 || strings.IndexFunc(p, func(c rune) bool { return !unicode.Is(unicode.Nd, c) }) >= 0 {
			return false
		}
	}
	return true
}

// isIPv6 is an address in brackets, with a port or without.
func isIPv6(host string) bool {
	end := strings.IndexByte(host, ']')
	if !strings.HasPrefix(host, "[") || end < 0 {
		return false
	}
	if rest := host[end+1:]; rest != "" {
		if bare, ok := cutPort(rest); !ok || bare != "" {
			return false
		}
	}
	body := host[1:end]
	groups := strings.Split(body, ":")
	if len(groups) < 3 || len(groups) > 9 {
		return false
	}
	for _, g := range groups {
		if len(g) > 4 || strings.Trim(strings.ToLower(g), "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}
