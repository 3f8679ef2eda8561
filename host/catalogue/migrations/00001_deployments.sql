-- +goose Up
-- Every version that was ever deployed stays: rows are only added, and "current" says which one answers.
CREATE TABLE pipeline_versions (
    app         TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    description TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    PRIMARY KEY (app, tenant, name, version)
) STRICT;

CREATE TABLE pipelines (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    current    INTEGER NOT NULL, -- 0 when undeployed
    latest     INTEGER NOT NULL, -- version numbers are never used twice
    ordinal    INTEGER NOT NULL, -- order of first deployment
    PRIMARY KEY (app, tenant, name)
) STRICT;
