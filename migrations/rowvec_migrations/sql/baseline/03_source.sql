-- The watched tables. The table is kept as a regclass: it follows renames, and pg_dump writes it as a name.
-- Columns are kept by name and by number: the name survives a restore, the number survives a rename.
CREATE TABLE rowvec_internal.source (
  id             smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name           text        NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 48),
  source_table   regclass    NOT NULL,
  key_columns    name[]      NOT NULL CHECK (cardinality(key_columns) > 0),
  key_numbers    smallint[]  NOT NULL,
  key_types      text[]      NOT NULL,
  text_columns   name[]      NOT NULL CHECK (cardinality(text_columns) > 0),
  text_numbers   smallint[]  NOT NULL,
  template       text,
  model_id       smallint    NOT NULL REFERENCES rowvec_internal.model,
  into_column    name,                                    -- NULL: the vectors are in the vector table
  into_number    smallint,
  into_made      boolean     NOT NULL DEFAULT false,      -- by watch: then unwatch may drop it
  chunk_tokens   integer     CHECK (chunk_tokens > 0),   -- NULL: no chunks
  chunk_overlap  integer     NOT NULL DEFAULT 0 CHECK (chunk_overlap >= 0),
  on_overflow    text        NOT NULL DEFAULT 'truncate' CHECK (on_overflow IN ('truncate', 'error', 'chunk')),
  store_text     boolean     NOT NULL DEFAULT false,      -- keep each chunk's text beside its vector
  document_prompt text,                                   -- NULL: the model's
  query_prompt   text,
  index_kind     text        CHECK (index_kind IN ('auto')), -- the daemon makes the index when the backfill has ended
  recipe         integer     NOT NULL DEFAULT 1,          -- raised by each change of what makes the text; see claim.sql
  vector_table   regclass    NOT NULL,
  state          text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'broken')),
  problem        text,
  shape          text        NOT NULL DEFAULT '',        -- see sources/shape.sql
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
