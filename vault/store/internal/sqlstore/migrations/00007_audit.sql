-- +goose Up
ALTER TABLE vault_audit ADD COLUMN sealed TEXT NOT NULL DEFAULT '';

CREATE TABLE vault_audit_tree (
    app    TEXT    NOT NULL,
    tenant TEXT    NOT NULL,
    node   TEXT    NOT NULL,
    epoch  INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    size   INTEGER NOT NULL CHECK (size >= 1),
    root   BLOB    NOT NULL,
    edges  BLOB    NOT NULL,
    PRIMARY KEY (app, tenant, node, epoch, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE vault_audit_checkpoint (
    node   TEXT    NOT NULL,
    epoch  INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    at     INTEGER NOT NULL,
    note   TEXT    NOT NULL,
    edges  BLOB    NOT NULL,
    PRIMARY KEY (node, epoch, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE vault_audit_cursor (
    app    TEXT    NOT NULL,
    tenant TEXT    NOT NULL,
    node   TEXT    NOT NULL,
    epoch  INTEGER NOT NULL,
    sink   TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, node, epoch, sink)
) STRICT, WITHOUT ROWID;

CREATE TABLE vault_audit_key (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    algorithm  TEXT    NOT NULL,
    ciphertext BLOB    NOT NULL,
    is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, id)
) STRICT;

CREATE TABLE vault_audit_glass (
    app       TEXT    NOT NULL,
    tenant    TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    opened_by TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    until_at  INTEGER NOT NULL,
    closed_at INTEGER NOT NULL,
    mac       BLOB    NOT NULL,
    PRIMARY KEY (app, tenant, id)
) STRICT;
