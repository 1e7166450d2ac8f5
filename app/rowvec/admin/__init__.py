"""What an operator does: add a model, follow a backfill, verify, look for what is wrong.

Imports: client, database, flow and search (never their threads), encode.artefact, rowvec_migrations.
Begin at `models`, then `doctor`.
"""
