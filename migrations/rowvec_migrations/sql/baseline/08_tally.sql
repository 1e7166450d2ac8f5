-- How many texts of a source were truncated at the model's limit. Each ack adds its difference, because counting the
-- vectors of 40 million rows takes too long for a status line. One row a source, locked last in an ack.
CREATE TABLE rowvec_internal.tally (
  source_id smallint PRIMARY KEY REFERENCES rowvec_internal.source ON DELETE CASCADE,
  truncated bigint   NOT NULL DEFAULT 0
);
