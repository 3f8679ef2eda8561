package builders

import "github.com/haywardhq/hayward/pipeline/jinja"

// templates is the environment of prompts.
func templates() *jinja.Env { return jinja.New(jinja.Options{}) }
