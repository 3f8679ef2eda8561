package inputs

import (
	"github.com/haywardhq/hayward/pipeline"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

var strsType = pytype.MustParse("list[str]")

// readText reads the strings of {component: {socket: text}} as JSON where the socket takes no str. What is not JSON
// either stays as it is, or is the only element of a list of strings.
func readText(types map[pipeline.Socket]pipeline.InputInfo, nested *value.Dict) *value.Dict {
	out := &value.Dict{}
	for comp, v := range nested.Strings() {
		dict, ok := v.(*value.Dict)
		if !ok {
			out.Set(comp, v)
			continue
		}
		read := &value.Dict{}
		for socket, sv := range dict.Strings() {
			read.Set(socket, readOne(types[pipeline.Socket{Component: comp, Socket: socket}], sv))
		}
		out.Set(comp, read)
	}
	return out
}

func readOne(in pipeline.InputInfo, v value.Value) value.Value {
	text, ok := v.(value.Str)
	if !ok || in.Type == nil || pytype.CompatibleStrict(strType, in.Type) {
		return v
	}
	if parsed, err := value.FromJSON([]byte(text)); err == nil {
		return parsed
	}
	if pytype.CompatibleStrict(strsType, in.Type) {
		return value.NewList(v) // a form field that may come several times came once
	}
	return v
}
