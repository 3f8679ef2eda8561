package maintext

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"github.com/haywardhq/hayward/fault"
)

// The limits of a page.
const (
	maxDepth = 500
	maxNodes = 2_000_000
)

// Options says what counts as text.
type Options struct {
	NoTables bool
}

// Extract returns the main text of a page, or "" when there is none. What is valid UTF-8 is UTF-8; other bytes are decoded
// as browsers do: by a byte order mark, else the page's own word, else a guess.
func Extract(page []byte, o Options) (string, error) {
	if utf8.Valid(page) {
		return ExtractText(strings.TrimPrefix(string(page), "\ufeff"), o)
	}
	enc, _, _ := charset.DetermineEncoding(page, "text/html")
	text, err := enc.NewDecoder().Bytes(page)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the page cannot be decoded")
	}
	return ExtractText(string(text), o)
}

// ExtractText is [Extract] for a page that is decoded already.
func ExtractText(page string, o Options) (string, error) {
	if !strings.Contains(page, "<") { // no page at all
		return "", nil
	}
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "the page is not HTML")
	}
	if err := check(root); err != nil {
		return "", err
	}
	body := find(root, func(n *html.Node) bool { return n.DataAtom == atom.Body })
	if body == nil {
		return "", nil
	}
	prune(body, o)
	return render(mainNode(body)), nil
}

// check walks without recursion, so that a page cannot exhaust the stack later.
func check(root *html.Node) error {
	depth, count := 0, 0
	for n := root; n != nil; {
		if count++; depth > maxDepth || count > maxNodes {
			return fault.New(fault.TooLarge, "the page nests deeper than %d or has more than %d nodes", maxDepth, maxNodes)
		}
		if n.FirstChild != nil {
			n = n.FirstChild
			depth++
			continue
		}
		for n != nil && n.NextSibling == nil {
			n = n.Parent
			depth--
		}
		if n != nil {
			n = n.NextSibling
		}
	}
	return nil
}

func find(n *html.Node, ok func(*html.Node) bool) *html.Node {
	if n.Type == html.ElementNode && ok(n) {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if got := find(c, ok); got != nil {
			return got
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// length counts the bytes of text without white space; linked is the part of it inside links.
func length(n *html.Node) (total, linked int) {
	if n.Type == html.TextNode {
		for _, f := range strings.Fields(n.Data) {
			total += len(f)
		}
		return total, 0
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		t, l := length(c)
		total, linked = total+t, linked+l
	}
	if n.DataAtom == atom.A {
		linked = total
	}
	return total, linked
}

// mainNode picks the element that holds the page's matter: the first that is named for it and holds most of the text of
// the page; else the body.
func mainNode(body *html.Node) *html.Node {
	all, _ := length(body)
	for _, named := range []func(*html.Node) bool{
		func(n *html.Node) bool { return n.DataAtom == atom.Article && !within(n, body, atom.Article) },
		func(n *html.Node) bool {
			return n.DataAtom == atom.Main || attr(n, "role") == "main" || attr(n, "itemprop") == "articleBody"
		},
		func(n *html.Node) bool { return contentName(attr(n, "id")) || contentName(attr(n, "class")) },
	} {
		if n := find(body, named); n != nil {
			if t, _ := length(n); t*2 > all {
				return n
			}
		}
	}
	return body
}

func within(n, top *html.Node, a atom.Atom) bool {
	for p := n.Parent; p != nil && p != top; p = p.Parent {
		if p.DataAtom == a {
			return true
		}
	}
	return false
}

func contentName(s string) bool {
	for _, w := range strings.Fields(strings.ToLower(s)) {
		switch w {
		case "content", "main-content", "article-content", "article-body", "entry-content", "post-content", "post-body", "story-body", "articlebody":
			return true
		}
	}
	return false
}
