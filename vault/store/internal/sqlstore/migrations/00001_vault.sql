-- +goose Up
CREATE TABLE vault_root (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    root_id    TEXT    NOT NULL,
    check_blob BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE vault_key (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    root_id    TEXT    NOT NULL,
    wrapped    BLOB    NOT NULL,
    is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, id)
) STRICT;
CREATE UNIQUE INDEX vault_key_primary ON vault_key (app, tenant) WHERE is_primary = 1;

CREATE TABLE vault_secret (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    latest     INTEGER NOT NULL CHECK (latest >= 1),
    current    INTEGER NOT NULL CHECK (current >= 0 AND current <= latest),
    mark       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, name)
) STRICT;

CREATE TABLE vault_secret_version (
    app          TEXT    NOT NULL,
    tenant       TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version >= 1),
    id           TEXT    NOT NULL,
    key_id       TEXT    NOT NULL,
    algorithm    TEXT    NOT NULL,
    ciphertext   BLOB    NOT NULL,
    destinations TEXT    NOT NULL,
    metadata     TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    PRIMARY KEY (app, tenant, name, version)
) STRICT;

CREATE TABLE vault_audit (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    node       TEXT    NOT NULL,
    epoch      INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    ref        TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    user_id    TEXT    NOT NULL,
    ip         TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    resource   TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    outcome    TEXT    NOT NULL,
    details    TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    mac        BLOB    NOT NULL,
    PRIMARY KEY (app, tenant, node, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX vault_audit_tenant_at ON vault_audit (app, tenant, at, id);
CREATE INDEX vault_audit_app_at ON vault_audit (app, at, id);
