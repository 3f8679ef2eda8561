package pipeline_test

import (
	"os"
	"testing"

	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/components"
)

// Reading and compiling the file that bench/engines measures against Haystack: ten components of nine types, with
// document stores, a prompt template and a chat generator.
func BenchmarkLoadTen(b *testing.B) {
	text, err := os.ReadFile("../bench/engines/pipeline.yml")
	if err != nil {
		b.Fatal(err)
	}
	registry := components.Registry()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pipeline.Load(text, "pipeline.yml", registry, pipeline.LoadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
