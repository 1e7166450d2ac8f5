"""The command line: names and help only; what a command does is in app/commands."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
