-- The protocol of this version of the schema: raise it when a daemon of the version before would do harm, together with
-- PROTOCOL in rowvec/database/protocol.py. Locks: the row, when the number differs.
INSERT INTO rowvec_internal.protocol AS p (number) VALUES (1)
ON CONFLICT (only_row) DO UPDATE SET number = EXCLUDED.number WHERE p.number <> EXCLUDED.number;
