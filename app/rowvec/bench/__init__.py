"""Measurements: what `rowvec bench` runs, apart from what is measured.

Imports everything but cli; nothing but cli imports it. Begin at `sync` and `encode`.
"""
