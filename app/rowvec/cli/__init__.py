"""The command line: one file a group of commands, each of which reads its arguments, calls one module and prints.

Imports: everything, and it alone the exporter. Begin at `main`, then `serve` and `sources`.
"""
