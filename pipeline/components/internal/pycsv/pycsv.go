package pycsv

import (
	"strings"

	"github.com/haywardhq/hayward/fault"
)

// Dialect is what separates and quotes fields.
type Dialect struct{ Delimiter, Quote rune }

// fieldLimit is csv.field_size_limit(), in characters.
const fieldLimit = 131072

// Read returns the rows of a text.
func Read(text string, d Dialect) ([][]string, error) {
	p := &parser{dialect: d}
	for line := range strings.SplitAfterSeq(text, "\n") {
		if line == "" {
			continue
		}
		for _, r := range line {
			if err := p.take(r); err != nil {
				return nil, err
			}
		}
		p.endLine()
	}
	if p.state != startRecord {
		p.endField()
		p.endRecord()
	}
	return p.rows, nil
}

type state int

const (
	startRecord state = iota
	startField
	inField
	inQuoted
	quoteInQuoted
	eatNewline
)

type parser struct {
	dialect Dialect
	state   state
	field   strings.Builder
	length  int
	row     []string
	rows    [][]string
}

func (p *parser) add(r rune) error {
	if p.length++; p.length > fieldLimit {
		return fault.New(fault.TooLarge, "field larger than field limit (%d)", fieldLimit).WithCode("Error")
	}
	p.field.WriteRune(r)
	return nil
}

func (p *parser) endField() {
	p.row = append(p.row, p.field.String())
	p.field.Reset()
	p.length = 0
}

func (p *parser) endRecord() {
	if p.row == nil {
		p.row = []string{}
	}
	p.rows, p.row, p.state = append(p.rows, p.row), nil, startRecord
}

// endLine is called where the text of a line ends, after its newline.
func (p *parser) endLine() {
	switch p.state {
	case inQuoted: // a quoted field goes on
	case startRecord, eatNewline:
		p.endRecord()
	default:
		p.endField()
		p.endRecord()
	}
}

func (p *parser) take(r rune) error {
	newline := r == '\n' || r == '\r'
	switch p.state {
	case inQuoted:
		if r == p.dialect.Quote {
			p.state = quoteInQuoted
			return nil
		}
		return p.add(r)
	case eatNewline:
		if newline {
			return nil
		}
		return fault.New(fault.Invalid, "new-line character seen in unquoted field - do you need to open the file with newline=''?").
			WithCode("Error")
	case startRecord:
		if newline {
			p.state = eatNewline
			return nil
		}
	case quoteInQuoted:
		if r == p.dialect.Quote {
			p.state = inQuoted
			return p.add(r)
		}
	}
	switch {
	case newline:
		p.endField()
		p.state = eatNewline
	case r == p.dialect.Delimiter:
		p.endField()
		p.state = startField
	case r == p.dialect.Quote && (p.state == startRecord || p.state == startField):
		p.state = inQuoted
	default:
		p.state = inField
		return p.add(r)
	}
	return nil
}
