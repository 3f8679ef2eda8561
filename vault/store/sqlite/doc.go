// Package sqlite keeps the vault's rows in an embedded SQLite database (the package db). Its transactions, documented
// methods and migrations are those of every SQL store; postgres next door is the same over a server, memory over maps.
package sqlite
