"""The versions of what decides a run's numbers, for its records and its report."""

import contextlib
import sys
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("lema", "torch", "transformers", "trl", "peft", "tokenizers", "openai", "math-verify", "numpy")


def versions() -> dict[str, str]:
    """Package to version; what is not installed is left out."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return {**found, "python": sys.version.split()[0]}
