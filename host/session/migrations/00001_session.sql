-- +goose Up
CREATE TABLE session_message (
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    seq        INTEGER NOT NULL CHECK (seq >= 1),
    message    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, user_id, session, seq)
) STRICT;
CREATE INDEX session_message_age ON session_message (app, tenant, created_at);
