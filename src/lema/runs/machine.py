"""The machine that a run worked on, in a few words for its report."""

import os
import platform
import re
from pathlib import Path


def machine() -> str:
    """Processor, cores and memory: "Xeon, 2 cores, 24 GB"."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parts = [_processor() or platform.machine(), f"{cores} core{'s' if cores != 1 else ''}"]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        parts.append(f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB")
    return ", ".join(parts)


def _processor() -> str:
    try:
        facts = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    named = re.search(r"^model name\s*:\s*(.+)$", facts, re.MULTILINE)
    return " ".join(named[1].replace("(R)", "").replace("(TM)", "").split()) if named else ""
