"""Tests of the exporter: tiny random models made here, and the real packaged MiniLM."""
