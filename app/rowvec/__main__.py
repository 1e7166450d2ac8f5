"""`rowvec` and `python -m rowvec`: the command line, or one line that says which extra it needs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exit with 2 where the base install is all there is."""
    try:
        import typer  # noqa: F401
    except ModuleNotFoundError:
        print("rowvec: the command line is not installed: pip install 'rowvec[daemon]'", file=sys.stderr)
        raise SystemExit(2) from None
    from rowvec.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
