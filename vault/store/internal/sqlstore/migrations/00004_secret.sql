-- +goose Up
ALTER TABLE vault_secret ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault_secret ADD COLUMN max_versions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault_secret ADD COLUMN versions TEXT NOT NULL DEFAULT '';
ALTER TABLE vault_secret ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault_secret ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vault_secret ADD COLUMN mark_key TEXT NOT NULL DEFAULT '';
CREATE INDEX vault_secret_due ON vault_secret (app, tenant, due_at);

ALTER TABLE vault_secret_version ADD COLUMN lifetime INTEGER NOT NULL DEFAULT 0;

CREATE TABLE vault_secret_ledger (
    app      TEXT    NOT NULL,
    tenant   TEXT    NOT NULL,
    part     INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    entries  BLOB    NOT NULL,
    mark     BLOB    NOT NULL,
    mark_key TEXT    NOT NULL,
    PRIMARY KEY (app, tenant, part)
) STRICT;
