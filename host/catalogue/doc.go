// Package catalogue keeps which pipelines a tenant has deployed: the source of every version, which version answers, and
// the compiled plan of it.
//
// A deploy is compiled before anything is stored, and stored in one transaction: it is there as a whole or not at all.
// Versions are never reused, also not after an undeploy. Plans are compiled when first asked for and kept in a bounded
// cache per (app, tenant, name, version); two tenants never share one. The catalogue knows neither who may deploy (host's
// Gate) nor how a plan runs (host's runner).
package catalogue
