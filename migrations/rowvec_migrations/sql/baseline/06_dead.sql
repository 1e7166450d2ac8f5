-- The dead letters: keys that failed max_attempts times, one row each, until retried or embedded by a later change.
CREATE TABLE rowvec_internal.dead (
  source_id   smallint    NOT NULL,
  key         text        NOT NULL,
  attempts    smallint    NOT NULL,
  error       text        NOT NULL,
  text_length integer,                                                   -- characters
  text_hash   bytea,
  enqueued_at timestamptz NOT NULL,
  died_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (source_id, key)
);
