-- +goose Up
-- Signing keys belong to the issuer, that is to the whole server, and so have no app or tenant.

CREATE TABLE auth_signing_key (
    kid         TEXT   NOT NULL PRIMARY KEY,
    state       TEXT   NOT NULL,
    public_jwk  TEXT   NOT NULL,
    private_key BLOB   NOT NULL,
    published   BIGINT NOT NULL,
    activated   BIGINT NOT NULL,
    remove_at   BIGINT NOT NULL,
    longest     BIGINT NOT NULL
);

-- tenant is '' for an operator's grant: operators stand outside every tenant.
CREATE TABLE auth_grant (
    app                TEXT   NOT NULL,
    tenant             TEXT   NOT NULL,
    id                 TEXT   NOT NULL,
    user_id            TEXT   NOT NULL,
    client             TEXT   NOT NULL,
    credential_version BIGINT NOT NULL,
    created            BIGINT NOT NULL,
    expires            BIGINT NOT NULL,
    revoked_at         BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (app, tenant, id)
);
CREATE INDEX auth_grant_user ON auth_grant (app, user_id);
CREATE INDEX auth_grant_expires ON auth_grant (expires);

CREATE TABLE auth_revoked_token (
    app     TEXT   NOT NULL,
    tenant  TEXT   NOT NULL,
    jti     TEXT   NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (app, tenant, jti)
);
CREATE INDEX auth_revoked_token_expires ON auth_revoked_token (expires);
