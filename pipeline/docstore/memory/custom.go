package memory

import (
	"context"

	"github.com/haywardhq/hayward/pipeline/value"
	"github.com/haywardhq/hayward/pipeline/value/pyre"
)

// customTokenizer cuts with any regular expression, as re.findall does: a group stands for the match, several groups
// make one token of a tuple.
func customTokenizer(regex string) (func(text string) ([]string, error), error) {
	re, err := pyre.Compile(regex, 0)
	if err != nil {
		return nil, err
	}
	if re.Groups() <= 1 {
		return func(text string) ([]string, error) { return re.FindStrings(context.Background(), text) }, nil
	}
	return func(text string) ([]string, error) {
		found, err := re.FindAll(context.Background(), text)
		if err != nil {
			return nil, err
		}
		out := make([]string, len(found.Items))
		for i, it := range found.Items {
			out[i] = value.ToStr(it)
		}
		return out, nil
	}, nil
}
