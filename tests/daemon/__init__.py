"""Tests of rowvec.daemon."""
