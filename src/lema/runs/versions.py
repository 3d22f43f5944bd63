"""The versions of what decides a run's numbers, for its records and its report.

One design decision: they are asked of the installed packages' metadata; importing torch for it would take seconds.
"""

import contextlib
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("lema", "torch", "transformers", "trl", "peft", "tokenizers", "openai", "math-verify", "numpy")


def versions() -> dict[str, str]:
    """Package to version; what is not installed is left out."""
    installed = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            installed[package] = version(package)
    return {**installed, "python": sys.version.split()[0]}

