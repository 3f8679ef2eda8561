package devllm

import (
	"strings"
	"testing"
)

const paris = "Paris is the capital and most populous city of France. It lies on the Seine."
const berlin = "Berlin is the capital of Germany, e.g. of all its 16 states. The Spree flows through Berlin."

// TestPrompts are the shapes that prompts for retrieval usually have.
func TestPrompts(t *testing.T) {
	user := func(s string) []message { return []message{{Role: "user", text: s}} }
	for _, tc := range []struct {
		name     string
		messages []message
		want     string
	}{
		{"documents, question, answer", user("Given these documents, answer the question.\nDocuments:\n" + paris + "\n" + berlin +
			"\n\nQuestion: What is the capital of Germany?\nAnswer:"), "Berlin is the capital of Germany, e.g. of all its 16 states."},
		{"the question first", user("Answer the question using the context.\nQuestion: Which river flows through Berlin?\nContext:\n" + paris + "\n" + berlin),
			"The Spree flows through Berlin."},
		{"the question below its mark", user("Context:\n" + paris + "\n\nQuestion:\nWhere does the Seine lie?\n\nAnswer:"), "It lies on the Seine."},
		{"bare documents", user(berlin + "\n" + paris + "\nWhat is the capital of France?"), "Paris is the capital and most populous city of France."},
		{"tags", user("<documents><document index=\"1\">" + berlin + "</document>\n<document>" + paris + "</document></documents>\n<question>capital of France</question>"),
			"Paris is the capital and most populous city of France."},
		{"documents in the system message", []message{{Role: "system", text: "Use only this context:\n" + paris}, {Role: "user", text: "What is the capital of France?"}},
			"Paris is the capital and most populous city of France."},
		{"the last user message counts", []message{{Role: "system", text: paris + "\n\n" + berlin}, {Role: "user", text: "What is the capital of France?"},
			{Role: "assistant", text: "Paris is the capital of France and of Germany."}, {Role: "user", text: "And what is the capital of Germany?"}},
			"Berlin is the capital of Germany, e.g. of all its 16 states."},
		{"numbered", user("Documents:\n1. " + paris + "\n2. " + berlin + "\nQuestion: capital of Germany"), "Berlin is the capital of Germany, e.g. of all its 16 states."},
		{"Document N:", user("Documents:\nDocument 1: " + paris + "\nDocument 2: " + berlin + "\nQuery: capital of Germany"), "Berlin is the capital of Germany, e.g. of all its 16 states."},
		{"broken lines", user("Documents:\nA send on a nil channel\nblocks forever. Other text is here.\nQuestion: What does a send on a nil channel do?"), "A send on a nil channel\nblocks forever."},
		{"a dot inside a word", user("Documents:\nThe file go.mod names the module. Nothing else does.\nQuestion: What does go.mod name?"), "The file go.mod names the module."},
		{"instructions are no answer", user("Answer the question about the capital of Spain from the documents:\n" + paris + "\nQuestion: the capital of Spain?"),
			"Paris is the capital and most populous city of France."},
		{"no word in common", user("Documents:\n" + paris + "\nQuestion: How do volcanoes erupt?"), NoAnswer},
		{"no documents", user("How do volcanoes erupt?"), NoAnswer},
		{"no user", []message{{Role: "system", text: paris}}, NoAnswer},
		{"empty", user(""), NoAnswer},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := answer(tc.messages); got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

func TestRareWordsCountMore(t *testing.T) {
	text := "A channel is a type of the language. A channel is a value of the language. The zero value of a channel is nil in the language."
	if got := Quote(text, "What is the zero value of a channel in the language?"); !strings.Contains(got, "zero value") {
		t.Errorf("got %q", got)
	}
}

func TestQuotingIsDeterministic(t *testing.T) {
	text := strings.Repeat(paris+" "+berlin+"\n\n", 30)
	want := Quote(text, "What is the capital river city of Germany and France?")
	for range 50 {
		if got := Quote(text, "What is the capital river city of Germany and France?"); got != want {
			t.Fatalf("got %q, then %q", want, got)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("Documents:\n"+paris+"\n\nQuestion: What?\nAnswer:", "Use this: "+berlin)
	f.Add("<context>a b c. d</context><question>b</question>", "")
	f.Add("1. a b c d\n- x y z\n\nQuery: z", "\xff")
	f.Fuzz(func(t *testing.T, user, system string) {
		got := answer([]message{{Role: "system", text: system}, {Role: "user", text: user}})
		if got != NoAnswer && !strings.Contains(user, got) && !strings.Contains(system, got) {
			t.Errorf("%q is not in the prompt", got)
		}
	})
}

func BenchmarkAnswer(b *testing.B) {
	m := []message{{Role: "user", text: "Documents:\n" + strings.Repeat(paris+" "+berlin+"\n\n", 50) + "Question: What is the capital of Germany?"}}
	b.ReportAllocs()
	for b.Loop() {
		answer(m)
	}
}
