"""Measurements: what `rowvec bench` runs, apart from what is measured.

Imports: everything but cli. Nothing imports it but cli. Begin at `sync` and `encode`.
"""
