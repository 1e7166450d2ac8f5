-- The watched tables. The table is kept as a regclass: it follows renames, and pg_dump writes it as a name.
-- Columns are kept by name and by number: the name survives a restore, the number survives a rename.
CREATE TABLE rowvec.source (
  id             smallint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name           text        NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 48),
  source_table   regclass    NOT NULL,
  key_columns    name[]      NOT NULL CHECK (cardinality(key_columns) > 0),
  key_numbers    smallint[]  NOT NULL,
  key_types      text[]      NOT NULL,
  text_columns   name[]      NOT NULL CHECK (cardinality(text_columns) > 0),
  text_numbers   smallint[]  NOT NULL,
  template       text,
  model_id       smallint    NOT NULL REFERENCES rowvec.model,
  into_column    name,
  chunk_tokens   integer,
  chunk_overlap  integer     NOT NULL DEFAULT 0,
  vector_table   regclass    NOT NULL,
  state          text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'broken')),
  problem        text,
  shape          text        NOT NULL DEFAULT '',        -- see _shape: no trigger sees it change
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
