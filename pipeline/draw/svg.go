package draw

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/haywardhq/hayward/pipeline"
)

const svgHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="ui-monospace, monospace" font-size="12">
<title>pipeline</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>
<rect width="100%%" height="100%%" fill="#fff"/>
`

// SVG returns the pipeline as a picture that stands on its own: no script, no style sheet, no reference to anything else.
// Dashed lines are connections to inputs that have a default.
func SVG(p *pipeline.Plan) []byte {
	s := shapeOf(p)
	places, width, height := layout(&s)
	width += 2 * gapX // long lines go round on the right
	var b bytes.Buffer
	fmt.Fprintf(&b, svgHead, width, height, width, height)
	for i, l := range lines(&s, places) {
		l.svg(&b, &s.arrows[i])
	}
	for i := range places {
		if places[i].lines != nil {
			places[i].svg(&b, i >= len(s.boxes))
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p *place) svg(b *bytes.Buffer, end bool) {
	radius, fill := 4, "#eef4fb"
	if end {
		radius, fill = p.height/2, "#f3f3f3"
	}
	fmt.Fprintf(b, `<g><rect x="%d" y="%d" width="%d" height="%d" rx="%d" fill="%s" stroke="#555"/>`,
		p.x-p.width/2, p.y-p.height/2, p.width, p.height, radius, fill)
	for i, l := range p.lines {
		weight := ""
		if i == 0 {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle"%s>%s</text>`, p.x, p.y-p.height/2+padding+(i+1)*lineHeight-4, weight, xml(l))
	}
	b.WriteString("</g>\n")
}

// line is the way of an arrow and where its label stands.
type line struct {
	path   string
	lx, ly int
}

// lines gives each arrow a port of its own at both boxes. One to the next row is a curve; one that skips rows, stays in its
// row or goes up passes the boxes between on the right.
func lines(s *shape, places []place) []line {
	ends := make([][2]int, len(s.arrows))
	leaving, arriving := make([]int, len(places)), make([]int, len(places))
	for i, a := range s.arrows {
		ends[i] = [2]int{a.from, a.to}
		if a.from < 0 {
			ends[i][0] = len(s.boxes)
		}
		if a.to < 0 {
			ends[i][1] = len(s.boxes) + 1
		}
		leaving[ends[i][0]]++
		arriving[ends[i][1]]++
	}
	out := make([]line, len(s.arrows))
	left, arrived := make([]int, len(places)), make([]int, len(places))
	for i, e := range ends {
		from, to := &places[e[0]], &places[e[1]]
		x1, y1 := from.port(left[e[0]], leaving[e[0]]), from.y+from.height/2
		x2, y2 := to.port(arrived[e[1]], arriving[e[1]]), to.y-to.height/2
		left[e[0]]++
		arrived[e[1]]++
		if to.rank == from.rank+1 {
			out[i] = line{fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, x1, y1+gapY/2, x2, y2-gapY/2, x2, y2), (x1 + x2) / 2, (y1+y2)/2 - 6 + left[e[0]]*11}
			continue
		}
		side := beside(places, min(from.rank, to.rank), max(from.rank, to.rank)) + gapX/2 + i*3%gapX
		out[i] = line{fmt.Sprintf("M%d %d C%d %d %d %d %d %d S%d %d %d %d", x1, y1, x1, y1+gapY/2, side, y1, side, (y1+y2)/2, x2, y2-gapY/2, x2, y2),
			side, (y1 + y2) / 2}
	}
	return out
}

func (l *line) svg(b *bytes.Buffer, a *arrow) {
	dash := ""
	if !a.mandatory {
		dash = ` stroke-dasharray="5 4"`
	}
	fmt.Fprintf(b, `<g><path d="%s" fill="none" stroke="#555"%s marker-end="url(#tip)"/>`, l.path, dash)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle" font-size="10" fill="#333" stroke="#fff" stroke-width="3" paint-order="stroke">%s<title>%s</title></text></g>`+"\n",
		l.lx, l.ly, xml(a.label), xml(a.typ))
}

// xml escapes text and leaves out what XML 1.0 has no place for.
func xml(s string) string {
	s = strings.Map(func(r rune) rune {
		if (r < ' ' && r != '\t') || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return html.EscapeString(s)
}
