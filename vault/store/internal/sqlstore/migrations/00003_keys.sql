-- +goose Up
CREATE TABLE vault_root_state (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch        INTEGER NOT NULL CHECK (epoch >= 0),
    direct       INTEGER NOT NULL CHECK (direct IN (0, 1)),
    next_id      TEXT    NOT NULL,
    next_wrapped BLOB    NOT NULL,
    former_id    TEXT    NOT NULL,
    total        INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX vault_key_root ON vault_key (root_id);

CREATE TABLE vault_system_key (
    purpose    TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    root_id    TEXT    NOT NULL,
    wrapped    BLOB    NOT NULL,
    public     BLOB    NOT NULL,
    is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    created_at INTEGER NOT NULL,
    retired_at INTEGER NOT NULL,
    PRIMARY KEY (purpose, id)
) STRICT;
CREATE UNIQUE INDEX vault_system_key_primary ON vault_system_key (purpose) WHERE is_primary = 1;

CREATE TABLE vault_shred (
    app          TEXT    NOT NULL,
    tenant       TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    requested_by TEXT    NOT NULL,
    requested_at INTEGER NOT NULL,
    checkpoint   TEXT    NOT NULL,
    key_ids      TEXT    NOT NULL,
    epoch_before INTEGER NOT NULL,
    root_before  TEXT    NOT NULL,
    target       TEXT    NOT NULL,
    receipt      TEXT    NOT NULL,
    PRIMARY KEY (app, tenant)
) STRICT;
