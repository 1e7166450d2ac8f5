-- Purpose: vector search and full text search together. Locks: none. Index: the vector table's HNSW index and the
-- table's full text index, where they are. Called by: Client.hybrid_search.
SELECT key, score, distance, vector_rank, text_rank, passage, chunk
FROM rowvec.hybrid_search(
  %(source)s::text, %(query)s::text, k => %(k)s::integer, filter => %(filter)s::text,
  max_distance => %(max_distance)s::float8, language => %(language)s::regconfig,
  vector_weight => %(vector_weight)s::float8, text_weight => %(text_weight)s::float8,
  candidates => %(candidates)s::integer, document => %(document)s::text, per_row => %(per_row)s::boolean)
