"""The processor that a run's figures are of, and how to be independent of which one it is.

One design decision: three libraries choose their instructions by the processor that they meet, ATen, MKL and
oneDNN; each reads its own variable of the environment when it is first used, so they are pinned before torch is
loaded.
"""

import contextlib
import os
import platform
import re
import sys
from functools import cache

from lema.config import Config
from lema.errors import RunError

SETS = ("avx512_bf16", "avx512f", "avx2", "avx", "sse4_2")
"""Instruction sets of x86 that libraries choose their code by, the widest first."""
PINNED = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""AVX2 is on every x86 of the last ten years. MKL promises the same bits on processors of several makers for
COMPATIBLE alone."""
OVERRIDING = ("MKL_ENABLE_INSTRUCTIONS", "MKL_DEBUG_CPU_TYPE", "DNNL_MAX_CPU_ISA")


@cache
def processor() -> dict[str, str]:
    """Its name and widest instruction set, as far as the system says, and what libraries are pinned to: the last
    bits of a training in floating point follow from them."""
    facts = ""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        facts = file.read(20_000)
    name = re.search(r"(?m)^model name\s*: (.*)$", facts)
    flags = re.search(r"(?m)^flags\s*: (.*)$", facts)
    there = flags[1].split() if flags else []
    widest = next((each for each in SETS if each in there), platform.machine())
    return {"name": name[1].strip() if name else platform.machine(), "instructions": widest}


def pinned() -> bool:
    """Whether this process computes with the same instructions on every x86 processor."""
    return all(os.environ.get(name) == value for name, value in PINNED.items())


def pin(config: Config) -> None:
    """Pins what this process and its workers compute with, where the config asks for it. RunError where it is too
    late, or where there is nothing that could be pinned."""
    if not config.machine.reproducible or pinned():
        return
    if platform.machine() not in ("x86_64", "AMD64"):
        raise RunError(f"machine.reproducible: this processor ({platform.machine()}) is no x86, and only the "
                       "instructions of those are pinned; leave it out")
    if "torch" in sys.modules:
        raise RunError("machine.reproducible: torch is loaded in this process already; start lema in its own one")
    for name in OVERRIDING:
        os.environ.pop(name, None)
    os.environ.update(PINNED)
