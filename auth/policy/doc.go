// Package policy decides what a role may do: one closed table of actions and roles, and one total function over it.
//
// Everything that is not in the table is denied, and so is an action nobody has declared. The function is pure: no
// clock, no store, no context, no allocation. Which roles a caller holds is for identity next door to say; that the thing
// acted upon belongs to the caller's tenant is for the store below to enforce. This room is not a policy language.
//
// The operator stands outside every tenant. What he may do and what a tenant's roles may do are two columns that hardly
// touch: no cell gives the operator a tenant's secret, pipeline or run.
package policy
