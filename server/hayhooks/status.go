package hayhooks

import (
	"context"

	"github.com/haywardhq/hayward/server/router"
)

// Status answers GET /status.
type Status struct {
	Status       string             `json:"status"`
	Pipelines    []string           `json:"pipelines"`
	DurableMode  bool               `json:"durable_mode"`
	Durable      DurableStatus      `json:"durable"`
	Deployments  []DeploymentStatus `json:"deployments"`
	Capabilities Capabilities       `json:"capabilities"`
}

// DurableStatus says that there is no durable mode.
type DurableStatus struct {
	Healthy     bool           `json:"healthy"`
	Deployments map[string]any `json:"deployments"`
}

// DeploymentStatus is one deployment in a Status.
type DeploymentStatus struct {
	Name                 string   `json:"name"`
	Type                 string   `json:"type"`
	ExecutionMode        string   `json:"execution_mode"`
	State                string   `json:"state"`
	Description          string   `json:"description"`
	Capabilities         []string `json:"capabilities"`
	Revision             *string  `json:"revision"`
	Health               *string  `json:"health"`
	WorkerScope          string   `json:"worker_scope"`
	StoreScope           *string  `json:"store_scope"`
	ExecutionEnumeration bool     `json:"execution_enumeration"`
}

// Capabilities of the server.
type Capabilities struct {
	ExecutionEnumeration bool `json:"execution_enumeration"`
}

// StatusOne answers GET /status/{name}.
type StatusOne struct {
	Status   string `json:"status"`
	Pipeline string `json:"pipeline"`
}

func (d *Door) status(ctx context.Context, _ *router.Request) (any, error) {
	list, err := d.Host.Pipelines(ctx)
	if err != nil {
		return nil, err
	}
	out := Status{Status: "Up!", Pipelines: []string{}, Durable: DurableStatus{Healthy: true, Deployments: map[string]any{}}, Deployments: []DeploymentStatus{}}
	for _, p := range list {
		description := p.Description
		if description == "" {
			description = p.Name
		}
		out.Pipelines = append(out.Pipelines, p.Name)
		out.Deployments = append(out.Deployments, DeploymentStatus{Name: p.Name, Type: "pipeline", ExecutionMode: "request-bound",
			State: "Loaded", Description: description, Capabilities: []string{"run_api"}, WorkerScope: "every process"})
	}
	return out, nil
}

func (d *Door) statusOne(ctx context.Context, r *router.Request) (any, error) {
	p, err := d.Host.Pipeline(ctx, r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return StatusOne{Status: "Up!", Pipeline: p.Name}, nil
}
