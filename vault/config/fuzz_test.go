package config_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/vault/config"
	"github.com/haywardhq/hayward/vault/store/memory"
)

// FuzzValue: JSON from outside is refused with a reason, or read back the same as often as it is written.
func FuzzValue(f *testing.F) {
	for _, s := range []string{`5`, `"x"`, `{"a":{"$secret":"K"}}`, `{"$secret":"K","x":1}`, `{"$secret":5}`, `[9007199254740993,1e400,-0,0.1]`, `null`, `{"a":null}`} {
		f.Add([]byte(s), "json")
	}
	st := memory.New()
	svc := config.NewService(st)
	f.Fuzz(func(t *testing.T, b []byte, valueType string) {
		if err := svc.Set(operator, "k", json.RawMessage(b), "", config.WithValueType(valueType)); err != nil {
			if k := fault.KindOf(err); k != fault.Invalid && k != fault.TooLarge {
				t.Fatalf("%v (%s)", err, k)
			}
			return
		}
		e, err := st.GetConfig(operator, "k", "myapp")
		if err != nil {
			t.Fatal(err)
		}
		if e.Value == nil {
			return
		}
		if err := st.SetConfig(operator, e); err != nil {
			t.Fatalf("what was read back is refused: %v", err)
		}
		again, err := st.GetConfig(operator, "k", "myapp")
		if err != nil || !reflect.DeepEqual(again.Value, e.Value) {
			t.Fatalf("%v became %v, %v", e.Value, again.Value, err)
		}
	})
}

// FuzzSchema: no schema and no value makes the server read something, hang or panic.
func FuzzSchema(f *testing.F) {
	f.Add([]byte(`{"type":"object","properties":{"a":{"type":"integer"}}}`), []byte(`{"a":1}`))
	f.Add([]byte(`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}`), []byte(`1`))
	f.Add([]byte(`{"pattern":"(a+)+$"}`), []byte(`"aaaaaaaaaaaaaaaaaaaaaaaaaaaa!"`))
	f.Add([]byte(`{"$ref":"file:///etc/passwd"}`), []byte(`1`))
	f.Add([]byte(`{"multipleOf":1e-300}`), []byte(`1e300`))
	svc := config.NewService(memory.New())
	f.Fuzz(func(t *testing.T, schema, value []byte) {
		_ = svc.Delete(operator, "k", "")
		if svc.SetSchema(operator, "k", schema, "") != nil {
			return
		}
		if err := svc.Set(operator, "k", json.RawMessage(value), ""); err != nil && fault.KindOf(err) == fault.Internal {
			t.Fatalf("%v", err)
		}
	})
}
