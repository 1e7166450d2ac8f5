"""The statements of the daemon, one a file; `rowvec.database.connection.statement` loads them."""
