// Package chatext renders templates to chat messages, as Haystack's ChatPromptBuilder does with a template that is text:
// the tags {% message role="user" %}...{% endmessage %} and {% insert messages %}, and the filter templatize_part, which
// puts images, files and tool calls between the words (haystack/utils/jinja2_chat_extension.py, Haystack 3.4).
//
// Templates print each message as a line of JSON, and the lines are read back as messages. What a variable holds cannot
// pose as one of the parts in between: parts stand between tags with a nonce of the environment, and everything else that
// is printed has such tags escaped.
//
// The room knows templates and messages; which variables a builder requires is the builder's business.
package chatext
