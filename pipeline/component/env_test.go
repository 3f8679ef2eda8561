package component_test

import (
	"testing"
	"time"

	"github.com/haywardhq/hayward/pipeline/chat"
	"github.com/haywardhq/hayward/pipeline/component"
	"github.com/haywardhq/hayward/pipeline/component/componenttest"
)

// An environment that nobody filled answers as one whose doors are shut.
func TestZeroEnv(t *testing.T) {
	for name, env := range map[string]*component.Env{
		"zero":            {},
		"made of nothing": component.NewEnv(component.Place{}, nil, component.Doors{}),
		"without doors":   func() *component.Env { e := (&component.Means{}).Env(&component.Place{}); return &e }(),
	} {
		if env.Place() != (component.Place{}) || env.Component() != "" || env.Type() != "" || env.Visit() != 0 || env.RequestID() != "" {
			t.Errorf("%s: it is for %+v", name, env.Place())
		}
		if env.Secrets() != nil || env.HTTP() != nil || env.Stores() != nil || env.Files() != nil || env.Ports() != nil || env.HasMemory() || env.Metered() {
			t.Errorf("%s: something is open", name)
		}
		if env.Streams() || env.Stream(&chat.StreamingChunk{}) != nil {
			t.Errorf("%s: somebody listens", name)
		}
		env.Log().Error("goes nowhere")
		if time.Since(env.Now()) > time.Minute {
			t.Errorf("%s: the clock says %v", name, env.Now())
		}
	}
}

// What a component gets of its environment are copies: it cannot change what others see.
func TestEnvIsNotChangedThroughItsCopies(t *testing.T) {
	env := component.NewEnv(component.Place{Component: "a", Visit: 2}, componenttest.Secrets{}, component.Doors{RequestID: "r"})
	at, doors := env.Place(), env.Doors()
	at.Component, doors.RequestID = "b", "other"
	if less := component.NewEnv(at, nil, doors); less.Component() != "b" || less.Visit() != 2 || less.RequestID() != "other" || less.Secrets() != nil {
		t.Errorf("the new one is for %+v", less.Place())
	}
	if env.Component() != "a" || env.RequestID() != "r" || env.Secrets() == nil {
		t.Errorf("the old one is for %+v", env.Place())
	}
}
