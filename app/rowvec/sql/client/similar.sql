-- Purpose: the rows nearest to a row. Locks: none. Index: the vector table's HNSW index where there is one.
-- Called by: Client.similar.
SELECT key, distance, passage, chunk
FROM rowvec.similar(
  %(source)s::text, %(row_key)s::text, k => %(k)s::integer, filter => %(filter)s::text,
  max_distance => %(max_distance)s::float8, exact => %(exact)s::boolean, per_row => %(per_row)s::boolean)
