-- +goose Up
CREATE TABLE vault_flag_segment (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version >= 1),
    definition TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, name)
) STRICT;

CREATE TABLE vault_flag_version (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version >= 1),
    id         TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT    NOT NULL,
    PRIMARY KEY (app, tenant, kind, name, version)
) STRICT;

ALTER TABLE vault_flag_override ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- What is there now is the first version anybody can go back to.
INSERT INTO vault_flag_version (app, tenant, kind, name, version, id, action, body, created_at, created_by)
    SELECT app, tenant, 'flag', name, version, id, 'define', '{"definition":' || definition || ',"rules":' || rules || '}', updated_at, ''
    FROM vault_flag;
INSERT INTO vault_flag_version (app, tenant, kind, name, version, id, action, body, created_at, created_by)
    SELECT app, tenant, 'override', name, 1, id, 'set', kind || ' ' || value, updated_at, '' FROM vault_flag_override;
