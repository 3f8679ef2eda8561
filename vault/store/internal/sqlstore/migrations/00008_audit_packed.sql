-- +goose Up
-- The entries of the same chain and moment just before a row's own, without what follows from the row; NULL: there are none.
ALTER TABLE vault_audit ADD COLUMN packed BLOB;
