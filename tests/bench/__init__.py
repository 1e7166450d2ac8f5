"""Tests of rowvec bench."""
