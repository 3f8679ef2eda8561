package converters

import (
	"context"
	"math/big"
	"sort"
	"time"

	"github.com/itchyny/gojq"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/components/internal/part"
	"github.com/haywardhq/hayward/pipeline/value"
)

// The limits of one jq filter on one source.
const (
	jqTime    = 5 * time.Second
	jqResults = 100_000
)

// compileJQ compiles a filter. It sees no environment variables, no files and no modules.
func compileJQ(schema string) (*gojq.Code, error) {
	q, err := gojq.Parse(schema)
	if err != nil {
		return nil, part.ValueError("'jq_schema' is not a jq filter: %s", err)
	}
	code, err := gojq.Compile(q, gojq.WithEnvironLoader(func() []string { return nil }))
	if err != nil {
		return nil, part.ValueError("'jq_schema' is not a jq filter: %s", err)
	}
	return code, nil
}

// runJQ returns all results of a filter.
func runJQ(ctx context.Context, code *gojq.Code, v value.Value) ([]value.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, jqTime)
	defer cancel()
	var out []value.Value
	results := code.RunWithContext(ctx, toJQ(v))
	for {
		r, ok := results.Next()
		if !ok {
			return out, nil
		}
		if err, failed := r.(error); failed {
			return nil, fault.Wrap(fault.Failed, err, "the jq filter failed")
		}
		if len(out) >= jqResults {
			return nil, fault.New(fault.TooLarge, "the jq filter gives more than %d results", jqResults)
		}
		out = append(out, fromJQ(r))
	}
}

func toJQ(v value.Value) any {
	switch v := v.(type) {
	case value.Str:
		return string(v)
	case value.Int:
		return int(v)
	case *value.BigInt:
		return new(big.Int).Set(v.N)
	case value.Float:
		return float64(v)
	case value.Bool:
		return bool(v)
	case *value.List:
		out := make([]any, len(v.Items))
		for i, it := range v.Items {
			out[i] = toJQ(it)
		}
		return out
	case *value.Dict:
		out := make(map[string]any, v.Len())
		for k, it := range v.Strings() {
			out[k] = toJQ(it)
		}
		return out
	}
	return nil
}

// fromJQ turns a result back; jq keeps no order of keys, so they come sorted.
func fromJQ(v any) value.Value {
	switch v := v.(type) {
	case string:
		return value.Str(v)
	case int:
		return value.Int(v)
	case *big.Int:
		return value.NewInt(v)
	case float64:
		return value.Float(v)
	case bool:
		return value.Bool(v)
	case []any:
		out := value.NewList()
		for _, it := range v {
			out.Items = append(out.Items, fromJQ(it))
		}
		return out
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		out := &value.Dict{}
		for _, k := range keys {
			out.Set(k, fromJQ(v[k]))
		}
		return out
	}
	return value.None
}
