-- Purpose: the protocol of the schema. Locks: none. Called by: protocol.check_protocol, with each read of the
-- catalogue.
SELECT number FROM rowvec_internal.protocol
