-- The number of the protocol that daemons and this schema speak; one row, written by access/protocol.sql. A claim by a
-- daemon of another number takes nothing.
CREATE TABLE rowvec_internal.protocol (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  number   integer NOT NULL
);
