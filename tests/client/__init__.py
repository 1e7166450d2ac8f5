"""Tests of the client: what a program calls from Python."""
