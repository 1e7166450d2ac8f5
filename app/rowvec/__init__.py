"""rowvec: insert a row, get a vector."""

__version__ = "0.1.0"
