-- Purpose: the default model, which daemons load before a source asks for it: the first watch() then finds it warm, and
-- so does the first search by text. Locks: none. Called: each refresh of the catalogue.
SELECT id, name, fingerprint, precision, dims, max_tokens
FROM rowvec_internal.model WHERE is_default
