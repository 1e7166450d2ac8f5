-- Vectors of query texts, by a hash of model identity, prompt and text; the texts themselves are not kept. Bounded:
-- the daemon deletes the oldest beyond its limit. Unlogged: a crash empties it.
CREATE UNLOGGED TABLE rowvec_internal.query_cache (
  key      bytea  PRIMARY KEY,
  number   bigint NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,          -- order of age
  model_id smallint NOT NULL,
  vector   vector NOT NULL
);
