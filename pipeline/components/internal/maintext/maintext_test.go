package maintext

import (
	"strings"
	"testing"
)

const filler = "This paragraph holds enough of the matter for the page to be about it, and then some more words follow. "

func TestExtract(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"paragraphs":   {"<p>One\n two</p><p>Three</p>", "One two\nThree"},
		"inline":       {"<p>a <b>bold</b>, <code>code</code>.</p>", "a bold, code."},
		"lists":        {"<ul><li>one<li>two</ul>", "- one\n- two"},
		"pre":          {"<pre>a\n  b</pre>", "a\n  b"},
		"tables":       {"<table><tr><th>a<th>b<tr><td>1<td>2</table>", "| a | b |\n| 1 | 2 |"},
		"scripts":      {"<p>a<script>x()</script><style>y</style></p>", "a"},
		"line breaks":  {"<p>a<br>b", "a\nb"},
		"furniture":    {"<nav>Home</nav><div class='sidebar x'>Ads</div><p>" + filler + "</p><footer>(c)</footer>", strings.TrimSpace(filler)},
		"links":        {"<ul><li><a>a1</a><li><a>a2</a><li><a>a3</a><li><a>a4</a></ul><p>" + filler + "</p>", strings.TrimSpace(filler)},
		"nothing":      {"<script>x</script>", ""},
		"no HTML":      {"plain words", ""},
		"latin-1":      {"<meta charset=latin1><p>caf\xe9</p>", "café"},
		"UTF-8":        {"<p>café</p>", "café"},
		"main element": {"<div>before</div><main><p>" + filler + "</p></main>", strings.TrimSpace(filler)},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Extract([]byte(c.in), Options{}); err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestDeepPagesAreRefused(t *testing.T) {
	if _, err := Extract([]byte(strings.Repeat("<div>", 5000)+"x"), Options{}); err == nil {
		t.Error("a page of 5000 nested elements is taken")
	}
}

// FuzzExtract holds that no page makes it crash.
func FuzzExtract(f *testing.F) {
	f.Add([]byte("<table><td><pre>a<ul><li>b</table><a hidden><svg>"))
	f.Fuzz(func(_ *testing.T, page []byte) { _, _ = Extract(page, Options{}) })
}
