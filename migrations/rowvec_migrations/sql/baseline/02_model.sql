-- The models that sources may be bound to. A model's identity is its fingerprint and its precision.
CREATE TABLE rowvec_internal.model (
  id          smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text        NOT NULL UNIQUE,
  fingerprint text        NOT NULL,
  precision   text        NOT NULL DEFAULT 'fp32' CHECK (precision IN ('fp32', 'bf16', 'fp16')),
  dims        integer     NOT NULL CHECK (dims > 0),
  max_tokens  integer     NOT NULL CHECK (max_tokens > 0),
  similarity  text        NOT NULL DEFAULT 'cosine' CHECK (similarity IN ('cosine', 'dot', 'euclidean')),
  manifest    jsonb       NOT NULL,
  is_default  boolean     NOT NULL DEFAULT false,
  added_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX model_one_default ON rowvec_internal.model (is_default) WHERE is_default;
