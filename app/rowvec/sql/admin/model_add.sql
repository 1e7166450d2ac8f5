-- Purpose: add a model, or make one that is there already the default; the same name with another fingerprint or
-- precision conflicts and gives no row. Locks: the model's row. Index: model_name_key. Called by: models.add_model.
INSERT INTO rowvec_internal.model (name, fingerprint, precision, dims, max_tokens, similarity, manifest, is_default)
VALUES (%(name)s, %(fingerprint)s, %(precision)s, %(dims)s, %(max_tokens)s, %(similarity)s, %(manifest)s, %(default)s)
ON CONFLICT (name) DO UPDATE SET is_default = model.is_default OR EXCLUDED.is_default
WHERE model.fingerprint = EXCLUDED.fingerprint AND model.precision = EXCLUDED.precision
RETURNING id
