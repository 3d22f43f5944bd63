"""The versions of what decides a run's numbers, for its records and its report.

One design decision: they are asked of the installed packages' metadata; importing torch for it would take seconds.
"""

import contextlib
import platform
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("lema", "torch", "transformers", "trl", "peft", "tokenizers", "openai", "math-verify", "numpy")


def versions() -> dict[str, str]:
    """Package to version; what is not installed is left out."""
    installed = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            installed[package] = version(package)
    return {**installed, "python": sys.version.split()[0]}


SETS = ("avx512_bf16", "avx512f", "avx2", "avx", "sse4_2")
"""Instruction sets of x86 that libraries choose their code by, the widest first."""


@cache
def processor() -> dict[str, str]:
    """Which processor the figures are of and its widest instruction set, as far as the system says: the last bits
    of a training in floating point follow from them."""
    facts = ""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        facts = file.read(20_000)
    name = re.search(r"(?m)^model name\s*: (.*)$", facts)
    flags = re.search(r"(?m)^flags\s*: (.*)$", facts)
    there = flags[1].split() if flags else []
    widest = next((each for each in SETS if each in there), platform.machine())
    return {"name": name[1].strip() if name else platform.machine(), "instructions": widest}
