-- +goose Up
CREATE TABLE vault_flag (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version >= 1),
    definition TEXT    NOT NULL,
    rules      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, name)
) STRICT;

CREATE TABLE vault_flag_override (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, name)
) STRICT;
CREATE INDEX vault_flag_override_name ON vault_flag_override (app, name, tenant);

CREATE TABLE vault_config (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    latest     INTEGER NOT NULL CHECK (latest >= 0),
    current    INTEGER NOT NULL CHECK (current >= 0 AND current <= latest),
    schema     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, name)
) STRICT;
CREATE INDEX vault_config_name ON vault_config (app, name, tenant);

CREATE TABLE vault_config_version (
    app         TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    version     INTEGER NOT NULL CHECK (version >= 1),
    id          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    value_type  TEXT    NOT NULL,
    description TEXT    NOT NULL,
    metadata    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    PRIMARY KEY (app, tenant, name, version)
) STRICT;
