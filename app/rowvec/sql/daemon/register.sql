-- Purpose: a row for this process; its id stamps the claims.
INSERT INTO rowvec_internal.daemon (name, pid) VALUES (%(name)s, %(pid)s) RETURNING id
