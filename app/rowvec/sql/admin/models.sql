-- Purpose: the models of the catalogue, with how many sources use each. Locks: none. Called by: models.models.
SELECT m.name, m.fingerprint, m.precision, m.dims, m.max_tokens, m.similarity, m.is_default,
       (SELECT count(*) FROM rowvec_internal.source s WHERE s.model_id = m.id) AS sources
FROM rowvec_internal.model m ORDER BY m.name
