-- What failed: the dead letters, and the changes that wait for another try. Never the text: its length and hash.
CREATE OR REPLACE VIEW rowvec.errors AS
SELECT s.name, d.key, 'dead' AS state, d.attempts, d.error, d.text_length, encode(d.text_hash, 'hex') AS text_hash,
  d.died_at AS at, NULL::timestamptz AS next_try_at
FROM rowvec_internal.dead d JOIN rowvec_internal.source s ON s.id = d.source_id
UNION ALL
SELECT s.name, k.key, 'retrying', c.attempts, c.last_error, NULL, NULL, c.claimed_at, c.visible_at
FROM rowvec_internal.change c JOIN rowvec_internal.source s ON s.id = c.source_id CROSS
  JOIN LATERAL unnest(c.keys) k(key)
WHERE c.last_error IS NOT NULL;
