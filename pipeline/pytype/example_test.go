package pytype_test

import (
	"fmt"

	"github.com/haywardhq/hayward/pipeline/pytype"
)

func ExampleCompatible() {
	sender := pytype.MustParse("str")
	receiver := pytype.MustParse("list[haystack.dataclasses.ChatMessage]")
	conv, ok := pytype.Compatible(sender, receiver)
	fmt.Println(sender, "->", receiver.Display(), conv, ok)
	// Output: str -> list[ChatMessage] wrap_str_to_chat_message true
}
