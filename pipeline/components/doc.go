// Package components is the table of component types that pipelines may name. There is no other way in: a type that
// does not stand here does not exist. Each type lives in the folder that its YAML path names
// (haystack.components.generators.chat.openai.OpenAIChatGenerator: generators/chat/openai.go).
package components
