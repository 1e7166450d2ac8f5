-- Purpose: write the vectors of claimed keys that have chunks and finish their changes, in one statement: both happen
-- or neither. Locks: the change rows, then the heads in order of key, then their other chunks, then the tally. Index:
-- the two primary keys; one lookup a change and a chunk, whatever the planner thinks of their numbers.
--
-- The guards are those of ack.sql. The row with chunk = 0 is the head of its key: its `_hash` is that of the whole
-- text, and its `_version` is the one that is compared and swapped. The other chunks have no version of their own:
-- they are written and deleted only for the keys that `written` returns, whose head this statement has just swapped
-- and keeps locked until its commit. Another daemon that comes for the same key waits for that lock, then finds
-- another version and touches nothing; so two never interleave, and since heads are locked in order of key, they
-- cannot dead-lock. A search sees all chunks of a row change at one moment, the commit.
-- A chunk whose text was there before is not encoded again: its vector is copied from the number that it had. That is
-- read in this statement's snapshot, which is younger than the claim; where the swap succeeds the head's version is
-- still that of the claim, hence so are the chunks. A chunk that stays where it is, the same in all, is not written.
WITH owned AS MATERIALIZED (
  SELECT c.place, i.seq, i.part, i.finish
  FROM unnest(%(seqs)s::bigint[], %(parts)s::smallint[], %(times)s::timestamptz[], %(finish)s::boolean[]) AS i(seq,
    part, claimed_at, finish)
  CROSS JOIN LATERAL (
    SELECT ctid AS place FROM rowvec_internal.change
    WHERE source_id = %(source)s AND lane = %(lane)s AND seq = i.seq AND part = i.part
      AND daemon_id = %(daemon)s AND claimed_at = i.claimed_at FOR UPDATE) c
), input AS MATERIALIZED (
  SELECT DISTINCT ON ({aliases}) i.n, i.seq, i.part, i.key, i.version, i.hash, i.keep, i.truncated, i.was_truncated,
    i.chunks, {key_values}
  FROM unnest(%(keys)s::text[], %(key_seqs)s::bigint[], %(key_parts)s::smallint[], %(versions)s::integer[],
    %(hashes)s::bytea[],
              %(keeps)s::boolean[], %(truncated)s::boolean[], %(were_truncated)s::boolean[], %(counts)s::integer[])
       WITH ORDINALITY AS i(key, seq, part, version, hash, keep, truncated, was_truncated, chunks, n)
  JOIN owned USING (seq, part)
  ORDER BY {aliases}
), new_chunk AS MATERIALIZED (
  SELECT {input_keys}, p.chunk, p.chunk_start, p.chunk_end, p.chunk_text, p.hash,
         coalesce(e.embedding, (SELECT v.embedding FROM {vectors} v WHERE {vector_is_input}
           AND v.chunk = p.copied_from)) AS embedding
  FROM unnest(%(chunk_results)s::bigint[], %(chunks)s::integer[], %(chunk_starts)s::integer[],
    %(chunk_ends)s::integer[], %(chunk_texts)s::text[],
              %(chunk_hashes)s::bytea[], %(chunk_sources)s::integer[], %(vector_rows)s::bigint[])
       AS p(n, chunk, chunk_start, chunk_end, chunk_text, hash, copied_from, vector_row)
  JOIN input i USING (n)
  LEFT JOIN unnest(%(vectors)s) WITH ORDINALITY AS e(embedding, vector_row) USING (vector_row)
), written AS (
  INSERT INTO {vectors} AS v ({keys}, embedding, _hash, _version, _truncated, chunk_start, chunk_end, chunk_text,
    _chunk_hash)
  SELECT {input_keys}, p.embedding, i.hash, i.version + 1, i.truncated, p.chunk_start, p.chunk_end, p.chunk_text, p.hash
  FROM input i LEFT JOIN new_chunk p ON {input_is_chunk} AND p.chunk = 0
  WHERE NOT i.keep ORDER BY {input_keys}
  ON CONFLICT ({keys}, chunk) DO UPDATE
  SET embedding = EXCLUDED.embedding, _hash = EXCLUDED._hash, _version = EXCLUDED._version,
    _truncated = EXCLUDED._truncated,
      chunk_start = EXCLUDED.chunk_start, chunk_end = EXCLUDED.chunk_end, chunk_text = EXCLUDED.chunk_text,
        _chunk_hash = EXCLUDED._chunk_hash, _at = clock_timestamp()
  WHERE v._version = EXCLUDED._version - 1
  RETURNING {written_keys}
), longer AS (
  INSERT INTO {vectors} AS v ({keys}, chunk, embedding, chunk_start, chunk_end, chunk_text, _chunk_hash)
  SELECT {chunk_keys}, p.chunk, p.embedding, p.chunk_start, p.chunk_end, p.chunk_text, p.hash FROM written w
    JOIN new_chunk p ON {written_is_chunk} WHERE p.chunk > 0
  ON CONFLICT ({keys}, chunk) DO UPDATE
  SET embedding = EXCLUDED.embedding, chunk_start = EXCLUDED.chunk_start, chunk_end = EXCLUDED.chunk_end,
    chunk_text = EXCLUDED.chunk_text,
      _chunk_hash = EXCLUDED._chunk_hash, _at = clock_timestamp()
  WHERE (v._chunk_hash, v.chunk_start, v.chunk_end, v.chunk_text) IS DISTINCT
    FROM (EXCLUDED._chunk_hash, EXCLUDED.chunk_start, EXCLUDED.chunk_end, EXCLUDED.chunk_text)
), shorter AS (
  DELETE FROM {vectors} WHERE ctid = ANY (ARRAY(
    SELECT v.place FROM written w JOIN input i ON {written_is_input}
    CROSS JOIN LATERAL (SELECT ctid AS place FROM {vectors} v WHERE {vector_is_written}
      AND v.chunk >= greatest(i.chunks, 1) OFFSET 0) v))
), touched AS (
  UPDATE {vectors} v SET _version = v._version + 1 FROM input i
  WHERE i.keep AND {vector_is_input} AND v.chunk = 0 AND v._version = i.version
  RETURNING {written_keys}
), settled AS MATERIALIZED (
  SELECT * FROM written UNION ALL SELECT * FROM touched
), lost AS MATERIALIZED (
  SELECT i.seq, i.part, i.key FROM input i
  WHERE NOT EXISTS (SELECT FROM settled s WHERE {settled_is_input})
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
), counted AS (
  UPDATE rowvec_internal.tally t SET truncated = t.truncated + d.more
  FROM (SELECT sum(i.truncated::integer - i.was_truncated::integer) AS more FROM written w JOIN input i
    ON {written_is_input}) d
  WHERE t.source_id = %(source)s AND d.more <> 0
)
SELECT (SELECT count(*) FROM acked) AS changes, (SELECT count(*) FROM settled) AS keys,
       (SELECT count(*) FROM released) AS released, (SELECT count(*) FROM owned WHERE finish) AS owned
