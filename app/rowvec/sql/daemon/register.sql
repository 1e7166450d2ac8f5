-- Purpose: a row for this process; its id stamps the claims.
INSERT INTO rowvec_internal.daemon (name, pid, started_at) VALUES (%(name)s, %(pid)s, to_timestamp(%(started)s))
  RETURNING id
