-- Purpose: the rows nearest to a text or a vector; {type} chooses between the two functions. Locks: none.
-- Index: the vector table's HNSW index where there is one. Called by: Client.search.
SELECT key, distance, passage, chunk
FROM rowvec.search(
  %(source)s::text, %(query)s::{type}, k => %(k)s::integer, filter => %(filter)s::text,
  max_distance => %(max_distance)s::float8, exact => %(exact)s::boolean, per_row => %(per_row)s::boolean)
