"""The statements of the daemon, one a file; `app.db.statement` loads them."""
