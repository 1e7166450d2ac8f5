"""What an operator does: watch a table, add a model, read the state, verify, look for what is wrong.

Imports: database, flow and search (never their threads), encode.artefact, rowvec_migrations.
Begin at `watch` and `status`.
"""
