"""Which extra brings a package that is not installed: read from rowvec's own metadata, so that it is said once."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

from rowvec.errors import SettingsError


def missing(error: ModuleNotFoundError) -> SettingsError | None:
    """Return the error that names the extra to install; None where the module comes with none of our extras."""
    module = (error.name or "").split(".")[0]
    try:
        requirements = requires("rowvec") or []
    except PackageNotFoundError:  # run from a source tree that was never installed
        return None
    for requirement in requirements:
        found = re.match(r"([\w.-]+).*\bextra == ['\"]([\w-]+)['\"]", requirement)
        if found and found[1].replace("-", "_").lower() == module:
            return SettingsError(f"{module} is not installed", hint=f"pip install 'rowvec[{found[2]}]'")
    return None
