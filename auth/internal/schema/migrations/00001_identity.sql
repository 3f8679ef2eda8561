-- +goose Up
-- Rows with deleted <> 0 are tombstones: their ids are never given out again, their names are free.

CREATE TABLE auth_app (
    id      TEXT   NOT NULL PRIMARY KEY,
    slug    TEXT   NOT NULL UNIQUE,
    created BIGINT NOT NULL
);

CREATE TABLE auth_tenant (
    app      TEXT    NOT NULL REFERENCES auth_app (id),
    id       TEXT    NOT NULL,
    slug     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    disabled INTEGER NOT NULL,
    created  BIGINT  NOT NULL,
    updated  BIGINT  NOT NULL,
    deleted  BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (app, id)
);
CREATE UNIQUE INDEX auth_tenant_slug ON auth_tenant (app, slug) WHERE deleted = 0;

CREATE TABLE auth_user (
    app                TEXT    NOT NULL REFERENCES auth_app (id),
    id                 TEXT    NOT NULL,
    name               TEXT    NOT NULL,
    skeleton           TEXT    NOT NULL,
    full_name          TEXT    NOT NULL,
    email              TEXT    NOT NULL,
    password_hash      TEXT    NOT NULL,
    operator           INTEGER NOT NULL,
    disabled           INTEGER NOT NULL,
    credential_version BIGINT  NOT NULL,
    home_tenant        TEXT    NOT NULL,
    created            BIGINT  NOT NULL,
    updated            BIGINT  NOT NULL,
    deleted            BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (app, id)
);
CREATE UNIQUE INDEX auth_user_name ON auth_user (app, name) WHERE deleted = 0;
CREATE UNIQUE INDEX auth_user_skeleton ON auth_user (app, skeleton) WHERE deleted = 0;

CREATE TABLE auth_membership (
    app       TEXT   NOT NULL,
    tenant    TEXT   NOT NULL,
    user_id   TEXT   NOT NULL,
    roles     TEXT   NOT NULL,
    created   BIGINT NOT NULL,
    PRIMARY KEY (app, tenant, user_id),
    FOREIGN KEY (app, tenant) REFERENCES auth_tenant (app, id),
    FOREIGN KEY (app, user_id) REFERENCES auth_user (app, id)
);
CREATE INDEX auth_membership_user ON auth_membership (app, user_id);
