-- Counts answers from the cache. An unlogged sequence: counting takes no lock that a user could wait for, no
-- transaction id and no WAL, which an UPDATE in the user's transaction would.
CREATE UNLOGGED SEQUENCE rowvec_internal.query_hits;
