"""Tests of rowvec_migrations: the schema and its functions."""
