package inputs

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// TypeError lists declared inputs whose values do not fit, in pydantic's words.
type TypeError struct{ Inputs []Misfit }

// Misfit is one of them.
type Misfit struct{ Name, Type, Message string }

// Error names them.
func (e *TypeError) Error() string {
	out := make([]string, len(e.Inputs))
	for i, m := range e.Inputs {
		out[i] = m.Name + ": " + m.Message
	}
	return strings.Join(out, "; ")
}

// coerce makes the plain values of declared inputs fit their types as Hayhooks' request models do (pydantic's lax mode):
// "5" is an int where one is wanted, 5.0 as well, "x" is an error. The type of the first target counts. Only str, int,
// float, bool and their Optional forms are looked at: every other type is the component's own affair, as in Haystack.
func coerce(d pipeline.Declared, nested *value.Dict) error {
	var bad []Misfit
	for _, in := range d.Inputs {
		if len(in.Targets) == 0 {
			continue
		}
		name, optional := plain(in.Types[0])
		if name == "" {
			continue
		}
		v, given := lookup(nested, in.Targets[0])
		if !given || (optional && v == value.None) {
			continue
		}
		fitted, m := fit(name, v)
		if m != nil {
			bad = append(bad, Misfit{in.Name, m.Type, m.Message})
			continue
		}
		for _, t := range in.Targets {
			inner(nested, t.Component).Set(t.Socket, fitted)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return fault.Wrap(fault.Invalid, &TypeError{bad}, "input %q: %s", bad[0].Name, bad[0].Message).WithCode(CodeType).At(fault.Where{Field: bad[0].Name})
}

func lookup(nested *value.Dict, s pipeline.Socket) (value.Value, bool) {
	v, _ := nested.Get(s.Component)
	dict, ok := v.(*value.Dict)
	if !ok {
		return nil, false
	}
	return dict.Get(s.Socket)
}

// plain returns the name of a scalar type, and whether None is allowed beside it; "" for any other type.
func plain(t *pytype.Type) (name string, optional bool) {
	if t.IsUnion() {
		for _, arm := range t.Args {
			switch {
			case arm.Name == "None" || arm.Name == "NoneType":
				optional = true
			case name != "":
				return "", false
			default:
				name, _ = plain(arm)
				if name == "" {
					return "", false
				}
			}
		}
		return name, optional
	}
	switch t.Name {
	case "str", "int", "float", "bool":
		return t.Name, false
	}
	return "", false
}

func fit(name string, v value.Value) (value.Value, *Misfit) {
	switch name {
	case "int":
		return toInt(v)
	case "float":
		return toFloat(v)
	case "bool":
		return toBool(v)
	}
	if _, ok := v.(value.Str); ok {
		return v, nil
	}
	return nil, &Misfit{Type: "string_type", Message: "Input should be a valid string"}
}

func toInt(v value.Value) (value.Value, *Misfit) {
	switch v := v.(type) {
	case value.Int, *value.BigInt:
		return v, nil
	case value.Bool:
		if v {
			return value.Int(1), nil
		}
		return value.Int(0), nil
	case value.Float:
		f := float64(v)
		if f != math.Trunc(f) || math.IsInf(f, 0) {
			return nil, &Misfit{Type: "int_from_float", Message: "Input should be a valid integer, got a number with a fractional part"}
		}
		n, _ := big.NewFloat(f).Int(nil)
		return value.NewInt(n), nil
	case value.Str:
		if n, err := value.ParseInt(string(v)); err == nil {
			return n, nil
		}
		return nil, &Misfit{Type: "int_parsing", Message: "Input should be a valid integer, unable to parse string as an integer"}
	}
	return nil, &Misfit{Type: "int_type", Message: "Input should be a valid integer"}
}

func toFloat(v value.Value) (value.Value, *Misfit) {
	switch v := v.(type) {
	case value.Float:
		return v, nil
	case value.Int:
		return value.Float(v), nil
	case *value.BigInt:
		f, _ := new(big.Float).SetInt(v.N).Float64()
		return value.Float(f), nil
	case value.Bool:
		n, _ := toInt(v)
		return value.Float(n.(value.Int)), nil
	case value.Str:
		if f, err := strconv.ParseFloat(strings.TrimSpace(string(v)), 64); err == nil && !strings.ContainsAny(string(v), "xX_") {
			return value.Float(f), nil
		}
		return nil, &Misfit{Type: "float_parsing", Message: "Input should be a valid number, unable to parse string as a number"}
	}
	return nil, &Misfit{Type: "float_type", Message: "Input should be a valid number"}
}

var booleans = map[string]value.Bool{"1": true, "true": true, "t": true, "yes": true, "y": true, "on": true,
	"0": false, "false": false, "f": false, "no": false, "n": false, "off": false}

func toBool(v value.Value) (value.Value, *Misfit) {
	word := ""
	switch v := v.(type) {
	case value.Bool:
		return v, nil
	case value.Int, value.Float:
		word = strings.TrimSuffix(value.ToStr(v), ".0")
	case value.Str:
		word = strings.ToLower(string(v))
	default:
		return nil, &Misfit{Type: "bool_type", Message: "Input should be a valid boolean"}
	}
	if b, ok := booleans[word]; ok {
		return b, nil
	}
	return nil, &Misfit{Type: "bool_parsing", Message: "Input should be a valid boolean, unable to interpret input"}
}
