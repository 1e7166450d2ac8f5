-- Sources whose plain search is kept in functions, see _make_plain; and by which names, since those change with nobody telling us.
CREATE TABLE rowvec_internal.plain (
  source_id smallint PRIMARY KEY REFERENCES rowvec_internal.source ON DELETE CASCADE,
  statement text NOT NULL,
  relation  text NOT NULL,
  vectors   text NOT NULL,
  index     text NOT NULL
);
