-- Purpose: lease changes of one source and lane, and read their rows' text and present vector in the same snapshot.
-- Locks: the change rows that it takes (SKIP LOCKED), until its commit, which follows at once. HOT: no indexed
-- column. Index: change_pkey from `floor` on, so the dead prefix that finished changes leave is not read again; then
-- by ctid, which a locked row keeps: joined by its key, a log that was never analysed was read from end to end for
-- each row of a claim (40,000 changes waiting: 1.5 s; now 4 ms). A row that another released after our snapshot is
-- not found, and left. A daemon that knows another recipe takes nothing: what it wrote after a change of the recipe
-- would never be looked at again. Nor does a daemon of another protocol than the schema's: it may write what this
-- schema does not mean. MATERIALIZED: inlined, the LIMIT may be run more than once, and more rows than it says be
-- updated (Oban's finding).
WITH waiting AS MATERIALIZED (
  SELECT ctid AS place, seq, part, coalesce(cardinality(keys), 0) AS n FROM rowvec_internal.change
  WHERE source_id = %(source)s AND lane = %(lane)s AND seq >= %(floor)s AND visible_at <= now()
    AND EXISTS (   -- evaluated once, since it names no column of the change
      SELECT FROM rowvec_internal.source s JOIN rowvec_internal.protocol p ON p.only_row
      WHERE s.id = %(source)s AND s.recipe = %(recipe)s AND p.number = %(protocol)s)
    AND attempts >= %(attempts_from)s AND attempts < %(attempts_below)s AND coalesce(cardinality(keys), 0) <= %(most)s
  ORDER BY seq, part LIMIT %(changes)s
  FOR UPDATE SKIP LOCKED
), picked AS MATERIALIZED (
  SELECT place FROM (SELECT place, sum(n) OVER (ORDER BY seq, part) - n AS before FROM waiting) w
  WHERE before < %(texts)s
), claimed AS (
  UPDATE rowvec_internal.change c
  SET daemon_id = %(daemon)s, attempts = c.attempts + 1, claimed_at = clock_timestamp(), visible_at = now() + %(lease)s
  WHERE c.ctid = ANY (ARRAY(SELECT place FROM picked))
  RETURNING c.seq, c.part, c.claimed_at, c.attempts, c.keys, c.enqueued_at
), k AS MATERIALIZED (
  SELECT c.seq, c.part, c.claimed_at, c.attempts, c.enqueued_at, k.key
  FROM claimed c LEFT JOIN LATERAL unnest(c.keys) AS k(key) ON true
)
SELECT k.seq, k.part, k.claimed_at, k.attempts, k.key, k.enqueued_at, {stored} AS stored_hash, v._version AS version,
       {text} AS text, v._truncated AS truncated, {chunks_there}
FROM k
LEFT JOIN LATERAL (SELECT * FROM {table} d WHERE {row_has_key} OFFSET 0) d ON true   -- one by one, by their index
LEFT JOIN LATERAL (SELECT * FROM {vectors} v WHERE {vector_has_key} AND v.chunk = 0 OFFSET 0) v ON true
ORDER BY k.seq, k.part
