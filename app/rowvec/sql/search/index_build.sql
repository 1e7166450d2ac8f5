-- Purpose: make the index of a source's vectors. Locks: SHARE UPDATE EXCLUSIVE on their table: reads and writes go on.
-- Called by: index_build.build; outside of a transaction.
CREATE INDEX CONCURRENTLY {name} ON {vectors} USING hnsw ({expression} {opclass})
WITH (m = {m}, ef_construction = {ef_construction})
