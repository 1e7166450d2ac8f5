-- Purpose: write the vectors of claimed keys and finish their changes, in one statement: both happen or neither.
-- Locks: the change rows, then the vector rows in order of key, so two daemons cannot dead-lock, then the tally.
-- Index: the two primary keys; the changes are looked up one by one, whatever the planner thinks of their number, and
-- then found by ctid: see claim.sql.
--
-- Two guards. `owned` is the fence: changes that are not leased by this very claim are left alone, and so are their
-- keys. The claim's time is part of it: a crash of the server may take back numbers of changes and daemons that were
-- committed asynchronously and give them out again, and a daemon that lived through the crash would finish another's
-- change. `_version` is compare and swap: a vector is written only if it is still the one that the claim read beside
-- the text. The last successful write has then seen every text that was committed before it, whatever the order of
-- claims, retries and backfills; a sequence number taken outside the user's transaction could not promise that. What
-- lost the race goes back to the log at once. A row that is gone, or has no text, is written as NULL (a tombstone),
-- so that a late write finds another version and cannot bring it back; an unchanged text still moves the version, for
-- the same reason.
WITH owned AS MATERIALIZED (
  SELECT c.place, i.seq, i.part, i.finish
  FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[], %(finish)s::boolean[]) AS i(seq,
    part, claimed_at, finish)
  CROSS JOIN LATERAL (
    SELECT ctid AS place FROM rowvec_internal.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq = i.seq AND part = i.part
      AND daemon_id = %(daemon)s AND claimed_at = i.claimed_at FOR UPDATE) c
), input AS MATERIALIZED (
  SELECT DISTINCT ON ({aliases}) i.seq, i.part, i.key, i.version, i.hash, i.keep, i.truncated, i.was_truncated,
    e.embedding, {key_values}
  FROM unnest(%(keys)s::text[], %(key_seqs)s::bigint[], %(key_parts)s::smallint[], %(versions)s::integer[],
              %(hashes)s::bytea[], %(keeps)s::boolean[], %(truncated)s::boolean[], %(were_truncated)s::boolean[],
                %(vector_rows)s::bigint[])
       AS i(key, seq, part, version, hash, keep, truncated, was_truncated, vector_row)
  JOIN owned USING (seq, part)
  LEFT JOIN unnest(%(vectors)s) WITH ORDINALITY AS e(embedding, vector_row) USING (vector_row)
  ORDER BY {aliases}
), written AS (
  INSERT INTO {vectors} AS v ({keys}, embedding, _hash, _version, _truncated)
  SELECT {aliases}, embedding, hash, version + 1, truncated FROM input WHERE NOT keep
  ON CONFLICT ({keys}, chunk) DO UPDATE
  SET embedding = EXCLUDED.embedding, _hash = EXCLUDED._hash, _version = EXCLUDED._version,
    _truncated = EXCLUDED._truncated, _at = clock_timestamp()
  WHERE v._version = EXCLUDED._version - 1
  RETURNING {written_keys}
), touched AS (
  UPDATE {vectors} v SET _version = v._version + 1 FROM input i
  WHERE i.keep AND {vector_is_input} AND v.chunk = 0 AND v._version = i.version
  RETURNING {written_keys}
), settled AS MATERIALIZED (
  SELECT * FROM written UNION ALL SELECT * FROM touched
), lost AS MATERIALIZED (
  -- hashed, whatever the plan
  SELECT i.seq, i.part, i.key FROM input i WHERE ({input_keys}) NOT IN (SELECT * FROM settled)
), acked AS (
  DELETE FROM rowvec_internal.change WHERE ctid = ANY (ARRAY(
    SELECT place FROM owned o WHERE finish AND NOT EXISTS (SELECT FROM lost l WHERE l.seq = o.seq AND l.part = o.part)))
  RETURNING 1
), released AS (
  UPDATE rowvec_internal.change SET daemon_id = NULL, visible_at = '-infinity', attempts = greatest(attempts - 1, 0)
  WHERE ctid = ANY (ARRAY(SELECT place FROM owned JOIN lost USING (seq, part) WHERE finish))
  RETURNING 1
), logged AS (   -- where a change stays for the keys that failed, `fail` narrows it to those: what lost is logged anew
  INSERT INTO rowvec_internal.change (source_id, lane, keys)
  SELECT %(source)s, %(lane)s, array_agg(l.key) FROM lost l JOIN owned o USING (seq, part) WHERE NOT o.finish
    GROUP BY l.seq, l.part
), healed AS (
  DELETE FROM rowvec_internal.dead d USING input i WHERE d.source_id = %(source)s AND d.key = i.key
), counted AS (   -- truncated texts: the difference, which only the winner of the swap knows for sure
  UPDATE rowvec_internal.tally t SET truncated = t.truncated + d.more
  FROM (SELECT sum(truncated::integer - was_truncated::integer) AS more FROM input i
        WHERE truncated <> was_truncated AND (({input_keys}) IN (SELECT * FROM written)) IS TRUE) d
  WHERE t.source_id = %(source)s AND d.more <> 0
)
SELECT (SELECT count(*) FROM acked) AS changes, (SELECT count(*) FROM settled) AS keys,
       (SELECT count(*) FROM released) AS released, (SELECT count(*) FROM owned WHERE finish) AS owned
