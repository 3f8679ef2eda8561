package preprocessors

import (
	"strings"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/value"
)

// bench runs a component over one text of about 280 KB.
func bench(b *testing.B, typ *component.Type, params *value.Dict) {
	text := strings.Repeat("Every spring the officer walked along the hedges,  and counted the gaps.\n\n \nA second line.\f", 3000)
	c, err := component.NewRegistry([]*component.Type{typ}, nil).Build("x", typ.Name, params, fault.Where{})
	if err != nil {
		b.Fatal(err)
	}
	in := component.In{value.NewList(document.Text(text))}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Component.Run(b.Context(), &component.Env{}, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDocumentSplitterWord(b *testing.B) {
	bench(b, DocumentSplitterType(), value.NewDict("split_overlap", value.Int(20)))
}

func BenchmarkDocumentCleaner(b *testing.B) { bench(b, DocumentCleanerType(), &value.Dict{}) }

func BenchmarkDocumentCleanerRegex(b *testing.B) {
	bench(b, DocumentCleanerType(), value.NewDict("remove_regex", value.Str(`gaps\.`)))
}
