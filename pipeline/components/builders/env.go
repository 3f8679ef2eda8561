package builders

import "github.com/haywardhq/hayward/pipeline/jinja"

// templates is the environment of plain prompts: Jinja's own, and the tag {% now %}.
func templates() *jinja.Env { return jinja.New(jinja.Options{Tags: []jinja.Tag{jinja.NowTag()}}) }
