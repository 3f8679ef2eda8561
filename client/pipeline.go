package client

import (
	"context"
	"net/http"
	"time"
)

// Deployment is one version of a pipeline.
type Deployment struct {
	Name        string    `json:"name"`
	Version     int64     `json:"version"`
	Digest      string    `json:"digest"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by"`
}

// Pipeline is a deployment with what a caller needs to run it.
type Pipeline struct {
	Deployment
	Source     string        `json:"source"`
	Components []Node        `json:"components"`
	Inputs     []Socket      `json:"inputs"`  // declared inputs, else the open sockets
	Outputs    []Socket      `json:"outputs"` // declared outputs, else the open ones
	Secrets    []SecretNamed `json:"secrets"`
	Streams    []string      `json:"streams"`
	Warnings   []string      `json:"warnings"`
}

// Node is a component of a pipeline.
type Node struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Socket is an input or an output.
type Socket struct {
	Name      string   `json:"name"`
	Type      string   `json:"type"`
	Mandatory bool     `json:"mandatory,omitempty"`
	Sockets   []string `json:"sockets,omitempty"`
}

// SecretNamed is a secret that a pipeline names.
type SecretNamed struct {
	Component string   `json:"component"`
	Param     string   `json:"param"`
	Names     []string `json:"names"`
	Strict    bool     `json:"strict"`
}

// DeployRequest is a pipeline file to deploy.
type DeployRequest struct {
	Name        string `json:"-"`
	Source      string `json:"source"` // Haystack YAML
	Description string `json:"description,omitempty"`
	Overwrite   bool   `json:"overwrite,omitempty"`
}

func pipelinePath(name string) string { return "/api/v1/pipelines/" + segment(name) }

// Deploy deploys a pipeline file.
func (c *Client) Deploy(ctx context.Context, r DeployRequest) (Pipeline, error) {
	var out Pipeline
	return out, c.Do(ctx, Request{Method: http.MethodPut, Path: pipelinePath(r.Name), JSON: r}, &out)
}

// Pipelines lists the tenant's pipelines.
func (c *Client) Pipelines(ctx context.Context) ([]Deployment, error) {
	var out struct {
		Pipelines []Deployment `json:"pipelines"`
	}
	return out.Pipelines, c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/v1/pipelines"}, &out)
}

// Pipeline describes a pipeline.
func (c *Client) Pipeline(ctx context.Context, name string) (Pipeline, error) {
	var out Pipeline
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: pipelinePath(name)}, &out)
}

// Undeploy makes a name answer nothing.
func (c *Client) Undeploy(ctx context.Context, name string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: pipelinePath(name)}, nil)
}

// Health is the server's word on itself.
type Health struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

// Ready asks whether the server can serve. It needs no token.
func (c *Client) Ready(ctx context.Context) (Health, error) {
	var out Health
	return out, c.Do(ctx, Request{Method: http.MethodGet, Path: "/readyz"}, &out)
}
