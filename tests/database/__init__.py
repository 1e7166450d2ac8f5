"""Tests of rowvec.database."""
