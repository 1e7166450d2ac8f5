"""The change log, the daemon and the backfill, with the fake encoder."""
