-- Purpose: write some vectors into the rows of the table itself, with their hashes into ours, in one statement: both
-- happen or neither. A claim is written by several: the last one of a change (`ends`) finishes it, but for the keys
-- that are left. Locks: the change rows; the table's rows, SKIP LOCKED, so that it never waits for a user; ours in
-- order of key; the tally. A user waits for it at most: hence few rows a statement (see flow/column_ack.py), and 50
-- ms for whatever a trigger of theirs waits for. Index: the two primary keys, change_pkey; one lookup a change and a
-- row, whatever the planner thinks of their numbers.
--
-- The guards are those of ack.sql: `owned` is the fence, `_version` is compare and swap, and only the row that won it
-- is written. A row that is locked, or was deleted or moved just now, goes back to the log: uncharged, since no text
-- is to blame, and for a tenth of its age (0.3 s to 5 s), since an open transaction may hold it for minutes, and each
-- try encodes. `begun` is read by everything: its settings hold from before the first row, to the end of the
-- transaction. With replica, where the role may, no trigger of the user's fires; `rowvec.writing` is for triggers to
-- know us by where not. `_sum` is of the vector as it was written: whoever changes the column later, seen by a
-- trigger or not, is found by it.
WITH begun AS MATERIALIZED (
  SELECT clock_timestamp() AS at, set_config('rowvec.writing', 'on', true) AS writing, set_config('lock_timeout',
    '50ms', true) AS patience,
         CASE WHEN has_parameter_privilege('session_replication_role', 'SET')
           THEN set_config('session_replication_role', 'replica', true) END AS role
), owned AS MATERIALIZED (
  SELECT c.place, i.seq, i.part, i.ends, i.finish, c.enqueued_at
  FROM begun, unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[], %(ends)s::boolean[],
    %(finish)s::boolean[])
       AS i(seq, part, claimed_at, ends, finish)
  CROSS JOIN LATERAL (
    SELECT ctid AS place, enqueued_at FROM rowvec_internal.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq = i.seq AND part = i.part
      AND daemon_id = %(daemon)s AND claimed_at = i.claimed_at FOR UPDATE) c
), input AS MATERIALIZED (
  SELECT DISTINCT ON ({aliases}) i.seq, i.part, i.key, i.version, i.hash, i.keep, i.truncated, i.was_truncated,
    e.embedding::{column_type} AS embedding, {key_values}
  FROM unnest(%(keys)s::text[], %(key_seqs)s::bigint[], %(key_parts)s::smallint[], %(versions)s::integer[],
              %(hashes)s::bytea[], %(keeps)s::boolean[], %(truncated)s::boolean[], %(were_truncated)s::boolean[],
                %(vector_rows)s::bigint[])
       AS i(key, seq, part, version, hash, keep, truncated, was_truncated, vector_row)
  JOIN owned USING (seq, part)
  LEFT JOIN unnest(%(vectors)s) WITH ORDINALITY AS e(embedding, vector_row) USING (vector_row)
  ORDER BY {aliases}
), locked AS MATERIALIZED (
  SELECT l.* FROM input i CROSS JOIN LATERAL (SELECT {row_as_aliases} FROM {table} d WHERE {row_is_input}
    FOR NO KEY UPDATE SKIP LOCKED) l WHERE NOT i.keep
), free AS MATERIALIZED (   -- ours now, or gone: then only the tombstone is written
  SELECT i.*, true AS there FROM input i JOIN locked l ON {locked_is_input}
  UNION ALL
  SELECT i.*, false FROM input i WHERE NOT i.keep AND NOT EXISTS (SELECT FROM {table} d WHERE {row_is_input})
), written AS (
  INSERT INTO {vectors} AS v ({keys}, _hash, _sum, _version, _truncated)
  SELECT {aliases}, CASE WHEN there THEN hash END, CASE WHEN there
    THEN substring(sha256({send}(embedding)) FOR 16) END, version + 1, there AND truncated FROM free ORDER BY {aliases}
  ON CONFLICT ({keys}, chunk) DO UPDATE
  SET _hash = EXCLUDED._hash, _sum = EXCLUDED._sum, _version = EXCLUDED._version, _truncated = EXCLUDED._truncated,
    _at = clock_timestamp()
  WHERE v._version = EXCLUDED._version - 1
  RETURNING {written_keys}
-- not where it is there already: a row without a text has no vector, a source that was unwatched has them all
), placed AS (
  UPDATE {table} d SET {column} = i.embedding FROM written s JOIN free i ON {settled_is_input}
  WHERE i.there AND {row_is_input} AND {send}(d.{column}) IS DISTINCT FROM {send}(i.embedding)
  RETURNING 1
), touched AS (
  UPDATE {vectors} v SET _version = v._version + 1 FROM input i
  WHERE i.keep AND {vector_is_input} AND v.chunk = 0 AND v._version = i.version
  RETURNING {written_keys}
), settled AS MATERIALIZED (
  SELECT * FROM written UNION ALL SELECT * FROM touched
), missed AS MATERIALIZED (
  SELECT i.seq, i.part, i.key, NOT i.keep AND NOT EXISTS (SELECT FROM free s WHERE {settled_is_input}) AS busy
  FROM input i WHERE NOT EXISTS (SELECT FROM settled s WHERE {settled_is_input})
), remaining AS MATERIALIZED (   -- of this statement and of those before it
  SELECT o.place, o.finish, array_agg(m.key) AS keys,
         CASE WHEN bool_and(m.busy) THEN least(greatest(now() - o.enqueued_at, interval '3 s') / 10, interval '5 s')
           ELSE interval '0' END AS pause, o.enqueued_at
  FROM (SELECT seq, part, key, busy FROM missed
        UNION ALL SELECT * FROM unnest(%(left_seqs)s::bigint[], %(left_parts)s::smallint[], %(left_keys)s::text[],
          %(left_busy)s::boolean[])) m
  JOIN owned o USING (seq, part) WHERE o.ends GROUP BY o.place, o.finish, o.enqueued_at
), acked AS (
  DELETE FROM rowvec_internal.change WHERE ctid = ANY (ARRAY(
    SELECT place FROM owned o WHERE ends AND finish AND NOT EXISTS (SELECT FROM remaining r WHERE r.place = o.place)))
  RETURNING 1
), released AS (
  UPDATE rowvec_internal.change c SET keys = r.keys, daemon_id = NULL, visible_at = now() + r.pause,
    attempts = greatest(c.attempts - 1, 0)
  FROM remaining r WHERE c.ctid = r.place AND r.finish
  RETURNING 1
), logged AS (   -- their change stays, for the keys that failed and for those only
  INSERT INTO rowvec_internal.change (source_id, lane, keys, visible_at, enqueued_at)
  SELECT %(source)s, %(lane)s, r.keys, now() + r.pause, r.enqueued_at FROM remaining r WHERE NOT r.finish
  RETURNING 1
), healed AS (
  DELETE FROM rowvec_internal.dead WHERE ctid = ANY (ARRAY(
    SELECT d.ctid FROM rowvec_internal.dead d JOIN input i ON d.source_id = %(source)s AND d.key = i.key
    WHERE NOT EXISTS (SELECT FROM missed m WHERE m.key = i.key) FOR UPDATE OF d SKIP LOCKED))
), counted AS (   -- see ack.sql
  UPDATE rowvec_internal.tally t SET truncated = t.truncated + d.more
  FROM (SELECT sum((i.there AND i.truncated)::integer - i.was_truncated::integer) AS more FROM written s JOIN free i
    ON {settled_is_input}) d
  WHERE t.source_id = %(source)s AND d.more <> 0
)
SELECT (SELECT count(*) FROM acked) AS changes, (SELECT count(*) FROM settled) AS keys,
       (SELECT count(*) FROM released) + (SELECT count(*) FROM logged) AS released,
       ARRAY(SELECT m.key FROM missed m JOIN owned o USING (seq, part) WHERE NOT m.busy AND NOT o.ends) AS lost,
       ARRAY(SELECT m.key FROM missed m JOIN owned o USING (seq, part) WHERE m.busy AND NOT o.ends) AS busy,
       -- leased for longer meanwhile
       (SELECT count(*) FROM acked) + (SELECT count(*) FROM released) < (SELECT count(*) FROM owned WHERE ends
         AND finish) AS slipped,
       (SELECT extract(epoch FROM min(pause))::float8 FROM remaining) AS again_seconds,
       -- all being done: how long it held its locks
       CASE WHEN (SELECT count(*) FROM placed) >= 0
         THEN extract(epoch FROM clock_timestamp() - at)::float8 END AS seconds
FROM begun
