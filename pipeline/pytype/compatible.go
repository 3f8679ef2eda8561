package pytype

import "slices"

// Conversion is what the engine does to a value on its way between two sockets whose types differ
// (ConversionStrategy in haystack/core/type_utils.py). The empty Conversion hands the value over as it is.
type Conversion string

// The conversions. A ChatMessage without text, and a list that does not hold exactly one item, are errors when the
// pipeline runs.
const (
	ChatMessageToStr       Conversion = "chat_message_to_str"        // message -> its text
	StrToChatMessage       Conversion = "str_to_chat_message"        // text -> a message of the user
	Wrap                   Conversion = "wrap"                       // x -> [x]
	WrapChatMessageToStr   Conversion = "wrap_chat_message_to_str"   // message -> [its text]
	WrapStrToChatMessage   Conversion = "wrap_str_to_chat_message"   // text -> [a message of the user]
	Unwrap                 Conversion = "unwrap"                     // [x] -> x
	UnwrapStrToChatMessage Conversion = "unwrap_str_to_chat_message" // [text] -> a message of the user
	UnwrapChatMessageToStr Conversion = "unwrap_chat_message_to_str" // [message] -> its text
)

// priority is the order in which the conversions to the arms of a union are preferred.
var priority = [...]Conversion{Wrap, Unwrap, ChatMessageToStr, StrToChatMessage,
	WrapChatMessageToStr, WrapStrToChatMessage, UnwrapChatMessageToStr, UnwrapStrToChatMessage}

// Compatible reports whether values of the sender's type may flow into the receiver, and by which conversion; conv is
// empty when none is needed (_types_are_compatible in haystack/core/type_utils.py).
func Compatible(sender, receiver *Type) (conv Conversion, ok bool) {
	if CompatibleStrict(sender, receiver) {
		return "", true
	}
	conv = conversion(sender, receiver)
	return conv, conv != ""
}

func conversion(sender, receiver *Type) Conversion {
	if sender.IsUnion() {
		return sameConversion(sender.Args, receiver)
	}
	if receiver.IsUnion() {
		return bestConversion(sender, receiver.Args)
	}
	switch {
	case sender.is(nameChat) && receiver.is(nameStr):
		return ChatMessageToStr
	case sender.is(nameStr) && receiver.is(nameChat):
		return StrToChatMessage
	}
	if receiver.Name == nameList && len(receiver.Args) > 0 {
		if c := wrapping(sender, receiver.Args[0]); c != "" {
			return c
		}
	}
	if sender.Name == nameList && len(sender.Args) > 0 {
		return unwrapping(sender.Args[0], receiver)
	}
	return ""
}

// sameConversion is the one conversion that every arm of a sender's union needs.
func sameConversion(arms []*Type, receiver *Type) Conversion {
	first := conversion(arms[0], receiver)
	for _, a := range arms[1:] {
		if conversion(a, receiver) != first {
			return ""
		}
	}
	return first
}

func bestConversion(sender *Type, arms []*Type) Conversion {
	var found []Conversion
	for _, a := range arms {
		found = append(found, conversion(sender, a))
	}
	for _, c := range priority {
		if slices.Contains(found, c) {
			return c
		}
	}
	return ""
}

func wrapping(sender, item *Type) Conversion {
	switch {
	case CompatibleStrict(sender, item):
		return Wrap
	case sender.contains(nameChat) && item.contains(nameStr):
		return WrapChatMessageToStr
	case sender.contains(nameStr) && item.contains(nameChat):
		return WrapStrToChatMessage
	}
	return ""
}

// unwrapping takes the single item out of a list, for str and ChatMessage only: other lists would lose items silently.
func unwrapping(item, receiver *Type) Conversion {
	if receiver.Name != nameList && (item.is(nameStr) || item.is(nameChat)) && CompatibleStrict(item, receiver) {
		return Unwrap
	}
	switch conversion(item, receiver) {
	case StrToChatMessage:
		return UnwrapStrToChatMessage
	case ChatMessageToStr:
		return UnwrapChatMessageToStr
	}
	return ""
}

// is reports whether t is the bare class of that name.
func (t *Type) is(name string) bool { return t.Name == name && t.spelled == "" && len(t.Args) == 0 }

// contains reports whether t is that class or a union with it as an arm.
func (t *Type) contains(name string) bool {
	if t.IsUnion() {
		return slices.ContainsFunc(t.Args, func(a *Type) bool { return a.is(name) })
	}
	return t.is(name)
}

// ListLike reports whether a socket of this type may take several senders: list, an optional list, or a union of lists
// (_make_socket_auto_variadic in haystack/core/pipeline/base.py).
func (t *Type) ListLike() bool {
	if !t.IsUnion() {
		return t.Name == nameList
	}
	lists := 0
	for _, a := range t.Args {
		switch a.Name {
		case nameList:
			lists++
		case nameNoneType:
		default:
			return false
		}
	}
	return lists > 0
}
