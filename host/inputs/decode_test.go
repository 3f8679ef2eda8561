package inputs_test

import (
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/host/inputs"
	"github.com/haywardhq/hayward/pipeline/document"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

func TestDictionariesBecomeWhatTheSocketTakes(t *testing.T) {
	for _, tc := range []struct{ typ, json, want string }{
		{"list[haystack.dataclasses.document.Document]", `[{"content": "a"}]`, "*document.Document"},
		{"haystack.dataclasses.document.Document", `{"content": "a"}`, "*document.Document"},
		{"list[haystack.dataclasses.chat_message.ChatMessage]", `[{"role": "user", "content": [{"text": "hi"}]}]`, "*chat.Message"},
		{"list[haystack.dataclasses.chat_message.ChatMessage]", `[{"_role": "user", "_content": [{"text": "hi"}]}]`, "*chat.Message"},
		{"list[str | pathlib.Path | haystack.dataclasses.byte_stream.ByteStream]", `[{"data": [104, 105], "meta": {}, "mime_type": null}]`, "*document.ByteStream"},
		{"list[str | pathlib.Path | haystack.dataclasses.byte_stream.ByteStream]", `["a.txt"]`, "value.Str"},
		{"dict[str, typing.Any]", `{"content": "a"}`, "*value.Dict"},
	} {
		t.Run(tc.typ+" "+tc.json, func(t *testing.T) {
			in, err := value.FromJSON([]byte(tc.json))
			if err != nil {
				t.Fatal(err)
			}
			out, err := inputs.Decode(pytype.MustParse(tc.typ), in)
			if err != nil {
				t.Fatal(err)
			}
			if list, ok := out.(*value.List); ok {
				out = list.Items[0]
			}
			if got := fmt.Sprintf("%T", out); got != tc.want {
				t.Fatalf("got %s, want %s", got, tc.want)
			}
			if b, ok := out.(*document.ByteStream); ok && string(b.Data) != "hi" {
				t.Fatalf("data %q", b.Data)
			}
		})
	}
}

func TestAWrongDictionaryIsRefused(t *testing.T) {
	in, err := value.FromJSON([]byte(`[{"type": "haystack.components.generators.chat.openai.OpenAIChatGenerator", "init_parameters": {}}]`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = inputs.Decode(pytype.MustParse("list[haystack.dataclasses.chat_message.ChatMessage]"), in)
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
}
