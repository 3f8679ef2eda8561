package main

import "fmt"

// twoNodes is the pipeline of the plain scenario. Both servers deploy the same text.
const twoNodes = `components:
  ask:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters:
      template: "What grows on field {{ number }} of {{ name }}?"
      required_variables: "*"
  frame:
    type: haystack.components.builders.prompt_builder.PromptBuilder
    init_parameters:
      template: "Question: {{ question }}\nAnswer:"
      required_variables: "*"
connections:
  - sender: ask.prompt
    receiver: frame.question
inputs:
  name: ask.name
  number: ask.number
outputs:
  prompt: frame.prompt
`

// withModel is the pipeline that uses a secret: a prompt and a model on loopback.
func withModel(modelURL string) string {
	return fmt.Sprintf(`components:
  ask:
    type: haystack.components.builders.chat_prompt_builder.ChatPromptBuilder
    init_parameters:
      required_variables: "*"
      template:
        - role: user
          name: null
          meta: {}
          content:
            - text: "What grows on field {{ number }} of {{ name }}?"
  llm:
    type: haystack.components.generators.chat.openai.OpenAIChatGenerator
    init_parameters:
      model: stub
      api_base_url: %s/v1
      api_key:
        type: env_var
        env_vars: [OPENAI_API_KEY]
        strict: true
connections:
  - sender: ask.prompt
    receiver: llm.messages
inputs:
  name: ask.name
  number: ask.number
outputs:
  replies: llm.replies
`, modelURL)
}

// body is what each request sends.
const body = `{"name": "the hayward", "number": 7}`
