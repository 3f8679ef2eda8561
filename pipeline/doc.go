// Package pipeline is the engine: it reads Haystack's pipeline files, connects components, and runs them in Haystack's
// order (haystack/core/pipeline, 3.4.0).
//
// A [Pipeline] is being built: components are added and connected, by hand or by [Load]. Compiling gives a [Plan], which
// never changes again, holds no context and no secret, and is run by any number of tenants at once:
//
//	plan, err := pipeline.Load(src, "ask.yml", registry, pipeline.LoadOptions{})
//	result, err := plan.Run(ctx, inputs, pipeline.WithRunContext(pipeline.RunContext{Secrets: secrets}))
//
// Whatever differs from run to run comes in through Run. A secret named in the file is looked up while a component runs,
// in this order: the run context, the plan's init context ([Plan.With]), the ambient context ([WithSecrets]), then the
// back end the host gives ([WithResolver]). A library user without a back end has the first three.
//
// A run may also bring a ledger, a budget that it shares with other runs, feature flags and a conversation ([RunContext]);
// work on several components at once ([WithConcurrency]); be read while it works ([Plan.Stream]); and stop, to be resumed
// later or elsewhere ([BreakAt], [Resume]). None of it costs anything when it is not asked for.
//
// The engine knows no component and no store: the components live in pipeline/components, what they are is said in
// pipeline/component. It knows no tenant either: who may run what is the host's business.
package pipeline
