-- Purpose: what does not change of a source. Locks: none. Called by: Client.watch.
SELECT name, table_name, model, vector_table FROM rowvec.status WHERE name = %(name)s::text
