-- Purpose: how a text becomes a vector inside a SELECT here, what is missing, and whether a daemon answers. Locks:
-- none. Called by: doctor.
SELECT way, missing, answered FROM rowvec_internal.query_way()
