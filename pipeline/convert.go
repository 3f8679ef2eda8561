package pipeline

import (
	"github.com/haywardhq/hayward/fault"
	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/pytype"
	"github.com/haywardhq/hayward/pipeline/value"
)

// convert changes a value on its way between two sockets (haystack/core/type_utils.py, _convert_value). Types are checked
// when sockets are connected, values never are: one of another type is an error here.
func convert(v value.Value, how pytype.Conversion) (value.Value, error) {
	switch how {
	case pytype.ChatMessageToStr:
		return textOf(v)
	case pytype.StrToChatMessage:
		return messageOf(v)
	case pytype.Wrap:
		return value.NewList(v), nil
	case pytype.WrapChatMessageToStr:
		return wrapIn(textOf(v))
	case pytype.WrapStrToChatMessage:
		return wrapIn(messageOf(v))
	}
	only, err := onlyItem(v)
	switch {
	case err != nil:
		return nil, err
	case how == pytype.UnwrapStrToChatMessage:
		return messageOf(only)
	case how == pytype.UnwrapChatMessageToStr:
		return textOf(only)
	}
	return only, nil
}

func wrapIn(v value.Value, err error) (value.Value, error) {
	if err != nil {
		return nil, err
	}
	return value.NewList(v), nil
}

func textOf(v value.Value) (value.Value, error) {
	m, ok := v.(*chat.Message)
	if !ok {
		return nil, unfit("'%s' object has no attribute 'text'", value.TypeName(v))
	}
	text, ok := m.Text()
	if !ok {
		return nil, unfit("Cannot convert `ChatMessage` to `str` because it has no text. ")
	}
	return value.Str(text), nil
}

func messageOf(v value.Value) (value.Value, error) {
	s, ok := v.(value.Str)
	if !ok {
		return nil, unfit("a chat message is made from str, not from %s", value.TypeName(v))
	}
	return chat.FromUser(string(s)), nil
}

// onlyItem refuses to drop items silently.
func onlyItem(v value.Value) (value.Value, error) {
	var items []value.Value
	switch v := v.(type) {
	case *value.List:
		items = v.Items
	case value.Tuple:
		items = v
	default:
		return nil, unfit("'%s' object is not a list", value.TypeName(v))
	}
	switch len(items) {
	case 0:
		return nil, unfit("Cannot get first item of an empty list. ")
	case 1:
		return items[0], nil
	}
	return nil, unfit("Cannot unwrap a list of %d items to a single value: "+
		"a list-to-scalar connection only accepts one-element lists; otherwise items would be silently dropped.", len(items))
}

func unfit(format string, args ...any) error {
	return fault.New(fault.Failed, format, args...).WithCode(CodeValueError)
}
