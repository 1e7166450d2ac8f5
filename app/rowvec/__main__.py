"""`rowvec` and `python -m rowvec`: the command line, or one line that says which extra it needs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exit with 2 where only the base install is there, which is for programs."""
    try:
        from rowvec.cli.main import main as run
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        needed = "'rowvec[cli]', or with the daemon and its model 'rowvec[daemon]'"
        print(f"rowvec: the command line is not installed: pip install {needed}", file=sys.stderr)
        raise SystemExit(2) from None
    run()


if __name__ == "__main__":
    main()
