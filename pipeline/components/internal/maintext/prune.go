package maintext

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// noText are elements whose content is no part of a page's text.
var noText = map[string]bool{"script": true, "style": true, "noscript": true, "template": true, "iframe": true, "object": true, "embed": true,
	"applet": true, "audio": true, "video": true, "canvas": true, "svg": true, "math": true, "map": true, "picture": true, "button": true,
	"input": true, "select": true, "textarea": true, "option": true, "datalist": true, "fieldset": true, "form": true, "label": true,
	"nav": true, "menu": true, "aside": true, "footer": true, "dialog": true, "frame": true, "frameset": true, "link": true, "meta": true,
	"progress": true, "rp": true, "rt": true, "noindex": true}

// furniture are words in a class, id or role that mean something beside the matter.
var furniture = []string{"nav", "navbar", "navigation", "menu", "sidebar", "breadcrumb", "breadcrumbs", "cookie", "cookies", "share", "sharing",
	"social", "comments", "comment-list", "related", "footer", "newsletter", "subscribe", "promo", "advert", "advertisement", "ads", "banner",
	"modal", "popup", "pagination", "pager", "skip-link", "toc", "contentinfo", "complementary", "hidden", "sr-only", "visually-hidden"}

// prune removes what is not matter. Something named like furniture stays if it holds a third of the page: then the name
// means something else.
func prune(body *html.Node, o Options) {
	all, _ := length(body)
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; {
			next := c.NextSibling
			switch {
			case c.Type == html.CommentNode:
				n.RemoveChild(c)
			case c.Type == html.ElementNode && drop(c, all, o):
				keepTail(n, c)
			default:
				walk(c)
			}
			c = next
		}
	}
	walk(body)
}

// keepTail removes an element; words on both sides of it must not grow together.
func keepTail(parent, n *html.Node) {
	parent.InsertBefore(&html.Node{Type: html.TextNode, Data: " "}, n)
	parent.RemoveChild(n)
}

func drop(n *html.Node, all int, o Options) bool {
	if noText[n.Data] {
		if n.DataAtom == atom.Form { // some pages are one big form
			t, _ := length(n)
			return t*3 < all
		}
		return true
	}
	if o.NoTables && n.DataAtom == atom.Table {
		return true
	}
	if attr(n, "hidden") != "" || attr(n, "aria-hidden") == "true" || strings.Contains(strings.ReplaceAll(attr(n, "style"), " ", ""), "display:none") {
		return true
	}
	total, linked := length(n)
	if total*3 < all && isFurniture(n) {
		return true
	}
	return boxOfLinks(n, total, linked, all)
}

func isFurniture(n *html.Node) bool {
	names := strings.ToLower(attr(n, "class") + " " + attr(n, "id") + " " + attr(n, "role"))
	for _, name := range strings.Fields(names) {
		for _, f := range furniture {
			if name == f {
				return true
			}
		}
	}
	return false
}

// boxOfLinks reports whether a list or block is a list of links to elsewhere: many of them, hardly any other text.
func boxOfLinks(n *html.Node, total, linked, all int) bool {
	switch n.DataAtom {
	case atom.Ul, atom.Ol, atom.Dl, atom.Div, atom.Section, atom.Table:
		return total > 0 && total*3 < all && linked*10 > total*9 && links(n) >= 4
	}
	return false
}

func links(n *html.Node) int {
	count := 0
	if n.DataAtom == atom.A {
		count = 1
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		count += links(c)
	}
	return count
}
