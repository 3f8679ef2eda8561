package config

import (
	"fmt"
	"math"
	"os"

	"go.yaml.in/yaml/v4"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
)

// Prices reads the file of the setting prices; nil without one.
func (c Config) Prices() (pipeline.Prices, error) {
	if c.PricesFile == "" {
		return nil, nil
	}
	b, err := os.ReadFile(c.PricesFile)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file of prices cannot be read")
	}
	return ParsePrices(c.PricesFile, b)
}

// priceUnit makes a price for a million tokens one for a token in billionths.
const priceUnit = 1e3

// maxPrice is the highest price there is, in units of the currency, for a million tokens or a call.
const maxPrice = 1e6

// ParsePrices reads models and what they cost: a mapping of in, out (for a million tokens) and call, each 0 if it is not there.
// file is its name in errors.
func ParsePrices(file string, b []byte) (pipeline.Prices, error) {
	if len(b) > maxFile {
		return nil, fault.New(fault.Invalid, "%s: a file of prices has at most %d bytes", file, maxFile)
	}
	var doc map[string]map[string]float64
	if isBlank(string(b)) {
		return nil, nil
	}
	if err := yaml.Load(b, &doc); err != nil {
		return nil, fault.New(fault.Invalid, "%s: this is no list of prices: %v", file, err).WithHint("write for example gpt-x: {in: 2.5, out: 10, call: 0}")
	}
	out := pipeline.Prices{}
	for model, cost := range doc {
		p, wrong := price(cost)
		if wrong != "" {
			return nil, fault.New(fault.Invalid, "%s: model %q: %s", file, model, wrong)
		}
		out[model] = p
	}
	return out, nil
}

func price(cost map[string]float64) (p pipeline.Price, wrong string) {
	if len(cost) == 0 {
		return p, "it has no price; write in, out or call"
	}
	for name, units := range cost {
		if !(units >= 0 && units <= maxPrice) { // NaN, too
			return p, fmt.Sprintf("%s is a number from 0 to %.0f", name, maxPrice)
		}
		switch name {
		case "in":
			p.In = int64(math.Round(units * priceUnit))
		case "out":
			p.Out = int64(math.Round(units * priceUnit))
		case "call":
			p.Call = int64(math.Round(units * 1e9))
		default:
			return p, fmt.Sprintf("there is no price called %q; there are in, out and call", name)
		}
	}
	return p, ""
}
