-- Texts that wait for their vector: a SELECT puts its query here over the loop-back connection, a daemon answers, the
-- SELECT takes the answer. Rows live for milliseconds. Unlogged: a crash forgets them, and a commit then waits for no
-- disk.
CREATE UNLOGGED TABLE rowvec_internal.query (
  id          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  model_id    smallint    NOT NULL,
  prompt      text        NOT NULL,
  query       text        NOT NULL,
  source_id   smallint,                                   -- asks how this source cuts the text, for no vector
  asked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  claimed_at  timestamptz,
  answer      vector,                                     -- PostgreSQL would compress a text, in 0.2 ms
  chunks      text,                                       -- the answer to a source_id, as JSON
  error       text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
