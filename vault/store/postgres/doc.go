// Package postgres keeps the vault's rows in a PostgreSQL database (db.OpenPostgres), which several processes may share:
// each hears of the others' changes. Its transactions, documented methods and migrations are those of every SQL store;
// sqlite next door is the same in a file, memory over maps.
//
// Every table that has a tenant has row-level security: a statement that forgot its tenant would find nothing. That binds
// a plain role only, see db.DB.FenceHolds.
package postgres
