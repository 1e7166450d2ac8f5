"""Tests of search: the text's way to a vector, the SQL functions, rights, plans."""
