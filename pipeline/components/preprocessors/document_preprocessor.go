package preprocessors

import (
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/supercomponent"
	"github.com/haywardhq/hayward/pipeline/value"
)

const here = "haystack.components.preprocessors."

// DocumentPreprocessor is a splitter followed by a cleaner (haystack/components/preprocessors/document_preprocessor.py). It
// is dumped with its own parameters; all else is the pipeline's.
type DocumentPreprocessor struct {
	*supercomponent.SuperComponent
	params *value.Dict
}

// InitParameters implements [component.Dumper].
func (d DocumentPreprocessor) InitParameters() *value.Dict { return d.params }

// DocumentPreprocessorType describes [DocumentPreprocessor].
func DocumentPreprocessorType() *component.Type {
	return &component.Type{
		Name: here + "document_preprocessor.DocumentPreprocessor",
		Doc:  "Splits documents and cleans what comes out.",
		Params: []component.Param{
			component.Optional("split_by", value.Str("word")),
			component.Optional("split_length", value.Int(250)),
			component.Optional("split_overlap", value.Int(0)),
			component.Optional("split_threshold", value.Int(0)),
			component.Optional("splitting_function", nil),
			component.Optional("respect_sentence_boundary", value.Bool(false)),
			component.Optional("language", value.Str("en")),
			component.Optional("use_split_rules", value.Bool(true)),
			component.Optional("extend_abbreviations", value.Bool(true)),
			component.Optional("tokenizer_encoding", value.Str("o200k_base")),
			component.Optional("remove_empty_lines", value.Bool(true)),
			component.Optional("remove_extra_whitespaces", value.Bool(true)),
			component.Optional("remove_repeated_substrings", value.Bool(false)),
			component.Optional("keep_id", value.Bool(false)),
			component.Optional("remove_substrings", nil),
			component.Optional("remove_regex", nil),
			component.Optional("unicode_normalization", nil),
			component.Optional("ascii_only", value.Bool(false)),
		},
		New: buildPreprocessor,
	}
}

var ofSplitter = []string{"split_by", "split_length", "split_overlap", "split_threshold", "splitting_function", "respect_sentence_boundary",
	"language", "use_split_rules", "extend_abbreviations", "tokenizer_encoding"}

var ofCleaner = []string{"remove_empty_lines", "remove_extra_whitespaces", "remove_repeated_substrings", "keep_id", "remove_substrings",
	"remove_regex", "unicode_normalization", "ascii_only"}

func buildPreprocessor(b *component.Builder) (component.Component, *component.Spec, error) {
	p := pipeline.New(b.Registry)
	if err := p.AddComponent("splitter", here+"document_splitter.DocumentSplitter", pick(b, ofSplitter)); err != nil {
		return nil, nil, err
	}
	if err := p.AddComponent("cleaner", here+"document_cleaner.DocumentCleaner", pick(b, ofCleaner)); err != nil {
		return nil, nil, err
	}
	if err := p.Connect("splitter.documents", "cleaner.documents"); err != nil {
		return nil, nil, err
	}
	plan, err := p.Compile()
	if err != nil {
		return nil, nil, err
	}
	s, spec, err := supercomponent.New(plan, value.NewDict("documents", value.NewList(value.Str("splitter.documents"))),
		value.NewDict("cleaner.documents", value.Str("documents")))
	if err != nil {
		return nil, nil, err
	}
	return DocumentPreprocessor{SuperComponent: s, params: b.Params}, spec, nil
}

func pick(b *component.Builder, names []string) *value.Dict {
	out := &value.Dict{}
	for _, name := range names {
		out.Set(name, b.Get(name))
	}
	return out
}
