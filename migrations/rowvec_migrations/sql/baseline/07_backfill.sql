-- One pass over a source at a time: first its rows, then (a recheck) the vectors whose row may be gone.
CREATE TABLE rowvec_internal.backfill (
  source_id    smallint    PRIMARY KEY REFERENCES rowvec_internal.source ON DELETE CASCADE,
  phase        text        NOT NULL CHECK (phase IN ('rows', 'vectors', 'done')),
  recheck      boolean     NOT NULL DEFAULT false,                       -- also look for orphans
  cursor_key   text,                                                     -- the last key that was enqueued
  enqueued     bigint      NOT NULL DEFAULT 0,                           -- keys
  estimate     bigint      NOT NULL DEFAULT 0,                           -- rows, as the planner knew them
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_at      timestamptz
);
