"""The daemon: a process that keeps every source whose model it can load in step.

Imports: flow, search, encode, and below them. The command line starts it. Begin at `process`, then `daemon`.
"""
