-- +goose Up
CREATE TABLE memory_index (
    app         TEXT   NOT NULL,
    tenant      TEXT   NOT NULL,
    index_name  TEXT   NOT NULL,
    avg_doc_len BIGINT NOT NULL, -- the bits of a float64: the average is kept to the last digit
    next_seq    BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (app, tenant, index_name)
);
CREATE TABLE memory_document (
    app        TEXT   NOT NULL,
    tenant     TEXT   NOT NULL,
    index_name TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    seq        BIGINT NOT NULL,
    tokenizer  TEXT   NOT NULL,
    document   BLOB   NOT NULL,
    PRIMARY KEY (app, tenant, index_name, id)
);
CREATE UNIQUE INDEX memory_document_seq ON memory_document (app, tenant, index_name, seq);

-- +goose Down
DROP TABLE memory_document;
DROP TABLE memory_index;
