// Package component says what a component is: its type and init parameters ([Type]), its sockets ([Spec]), how it runs
// ([Component]), and all it can see of the world while it does ([Env]).
//
// A component instance is made once, when a pipeline is compiled, and then shared by all tenants and all concurrent
// runs: it keeps no state between runs and holds no secret. What differs per run comes in through Run: the inputs, the
// context's deadline, and the Env, which resolves secrets, opens document stores, sends HTTP requests and takes
// streamed chunks. There is no other door: components import neither the vault nor net/http's clients.
//
// The registry is a closed table ([Registry]): no code is loaded from a pipeline file. The components themselves live
// next door in pipeline/components; the engine that schedules them is the package above.
package component
