-- The sources whose search without a filter is kept in functions: see search/prepare_search.sql. Table and index are
-- kept by the names that those functions use: a rename tells nobody, and is found by comparing them.
CREATE TABLE rowvec_internal.prepared_search (
  source_id smallint PRIMARY KEY REFERENCES rowvec_internal.source ON DELETE CASCADE,
  statement text NOT NULL,
  relation  text NOT NULL,
  vectors   text NOT NULL,
  index     text NOT NULL
);
