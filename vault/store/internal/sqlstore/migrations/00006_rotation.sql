-- +goose Up
CREATE TABLE vault_rotation_policy (
    app             TEXT    NOT NULL,
    tenant          TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    definition      TEXT    NOT NULL,
    interval_micros INTEGER NOT NULL CHECK (interval_micros > 0),
    enabled         INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    last_at         INTEGER NOT NULL,
    next_at         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    created_by      TEXT    NOT NULL,
    PRIMARY KEY (app, tenant, name)
) STRICT;

CREATE TABLE vault_rotation (
    app         TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    due_at      INTEGER NOT NULL,
    run_id      TEXT    NOT NULL,
    definition  TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    old_version INTEGER NOT NULL,
    new_version INTEGER NOT NULL,
    attempt     INTEGER NOT NULL CHECK (attempt >= 0),
    started_at  INTEGER NOT NULL,
    wake_at     INTEGER NOT NULL,
    failure     TEXT    NOT NULL,
    unserved    INTEGER NOT NULL,
    holder      TEXT    NOT NULL,
    lease_at    INTEGER NOT NULL,
    fence       INTEGER NOT NULL CHECK (fence >= 0),
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, name)
) STRICT;
CREATE INDEX vault_rotation_due ON vault_rotation (due_at, app, tenant, name) WHERE due_at > 0;

CREATE TABLE vault_rotation_record (
    app         TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    id          TEXT    NOT NULL,
    run_id      TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    step        TEXT    NOT NULL,
    old_version INTEGER NOT NULL,
    new_version INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    details     TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    user_id     TEXT    NOT NULL,
    PRIMARY KEY (app, tenant, name, seq)
) STRICT;
