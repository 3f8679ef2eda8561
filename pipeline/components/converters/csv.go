package converters

import (
	"context"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/components/internal/pycsv"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// CSVToDocument makes a document of each CSV file or of each of its rows (haystack/components/converters/csv.py).
type CSVToDocument struct {
	encoding string
	fullPath bool
	rows     bool
	dialect  pycsv.Dialect
}

// CSVToDocumentType describes [CSVToDocument].
func CSVToDocumentType() *component.Type {
	return &component.Type{
		Name: "haystack.components.converters.csv.CSVToDocument",
		Doc:  "Makes a document of each CSV file, or of each of its rows.",
		Params: []component.Param{
			component.Optional("encoding", value.Str("utf-8-sig")),
			component.Optional("store_full_path", value.Bool(false)),
			component.Optional("conversion_mode", value.Str("file")),
			component.Optional("delimiter", value.Str(",")),
			component.Optional("quotechar", value.Str(`"`)),
		},
		New: newCSV,
	}
}

func newCSV(b *component.Builder) (component.Component, *component.Spec, error) {
	c := &CSVToDocument{encoding: b.Str("encoding"), fullPath: b.Bool("store_full_path"), rows: b.OneOf("conversion_mode", "file", "row") == "row"}
	for name, to := range map[string]*rune{"delimiter": &c.dialect.Delimiter, "quotechar": &c.dialect.Quote} {
		s := b.Str(name)
		if b.Err() != nil {
			return nil, nil, b.Err()
		}
		if utf8.RuneCountInString(s) != 1 {
			return nil, nil, part.Refuse(b, name, part.ValueError("CSVToDocument: %s must be a single character.", name))
		}
		*to, _ = utf8.DecodeRuneInString(s)
	}
	return c, part.Spec(inputs(part.Opt("content_column", part.OptStr)), part.Out("documents", part.Documents)), b.Err()
}

// Run converts each source. In row mode content_column names the column that becomes the content; without it, or when
// a file does not have it, the run fails.
func (c *CSVToDocument) Run(ctx context.Context, env *component.Env, in component.In) (component.Out, error) {
	column, err := part.TextOr("content_column", in[1], nil)
	if err != nil {
		return component.Out{}, err
	}
	var failed error // of a row: unlike a source, it is not skipped
	out, err := convert(ctx, env, in[0], in[2], func(s source) ([]*document.Document, error) {
		text, err := s.text(c.encoding)
		if err != nil || failed != nil {
			return nil, err
		}
		if c.rows {
			docs, err := c.fromRows(text, s.merged(c.fullPath), column)
			failed = err
			return docs, nil
		}
		doc, err := textDocument(text, s.merged(c.fullPath))
		return []*document.Document{doc}, err
	})
	if failed != nil {
		return component.Out{}, failed
	}
	return out, err
}

func (c *CSVToDocument) fromRows(text string, meta *value.Dict, column *string) ([]*document.Document, error) {
	if column == nil || *column == "" {
		return nil, part.ValueError("CSVToDocument(row): 'content_column' is required in run() when conversion_mode='row'.")
	}
	rows, err := pycsv.Read(text, c.dialect)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "CSVToDocument(row): could not parse CSV rows").WithCode("RuntimeError")
	}
	var header []string
	if len(rows) > 0 {
		header, rows = rows[0], rows[1:]
	}
	if !slices.Contains(header, *column) {
		return nil, part.ValueError("CSVToDocument(row): content_column='%s' not found in header. Available columns: %s", *column,
			value.Repr(part.StrValues(header)))
	}
	var docs []*document.Document
	for i, row := range rows {
		if len(row) == 0 {
			continue
		}
		doc, err := rowDocument(header, row, meta, len(docs), *column)
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "CSVToDocument(row): failed to process row %d", i).WithCode("RuntimeError")
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// rowDocument makes a document of a row. A column whose name meta has already is prefixed.
func rowDocument(header, row []string, meta *value.Dict, n int, column string) (*document.Document, error) {
	out := meta.Clone()
	out.Set("row_number", value.Int(n))
	cells := &value.Dict{}
	for i, name := range header {
		cell := ""
		if i < len(row) {
			cell = row[i]
		}
		cells.Set(name, value.Str(cell))
	}
	if len(row) > len(header) {
		cells.Set("extra_columns", value.Str(value.Repr(part.StrValues(row[len(header):]))))
	}
	content := ""
	for name, cell := range cells.Strings() {
		if name == column {
			content = string(cell.(value.Str))
			continue
		}
		out.Set(freeKey(out, name), cell)
	}
	return textDocument(content, out)
}

func freeKey(meta *value.Dict, name string) string {
	taken := func(k string) bool { _, ok := meta.Get(k); return ok }
	if !taken(name) {
		return name
	}
	key := "csv_" + name
	for i := 1; taken(key); i++ {
		key = "csv_" + name + "_" + strconv.Itoa(i)
	}
	return key
}
