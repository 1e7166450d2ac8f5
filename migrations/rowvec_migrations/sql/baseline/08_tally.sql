-- How many texts of a source were cut at the model's limit: kept by each ack, since counting the vectors of 40
-- million rows is not for a status line. One row a source, locked last in an ack.
CREATE TABLE rowvec_internal.tally (
  source_id smallint PRIMARY KEY REFERENCES rowvec_internal.source ON DELETE CASCADE,
  truncated bigint   NOT NULL DEFAULT 0
);
