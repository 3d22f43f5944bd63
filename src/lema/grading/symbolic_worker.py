"""The process in which math-verify works: JSON [answer, gold, seconds] per line in, "yes", "no" or "undecided" per
line out.

One design decision: both sides are parsed as LaTeX only, because math-verify's parser for plain expressions
evaluates Python; and the process may use a bounded amount of memory, so that a hostile expression kills this
process and nothing else. Run by lema.grading.symbolic, which kills it when it is late.
"""

import contextlib
import faulthandler
import json
import logging
import sys

MEMORY = 1024**3
"""Bytes of address space that the process may use."""


def main() -> None:
    """Answers until its input ends."""
    logging.disable(logging.CRITICAL)
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library prints is no answer
    from math_verify import LatexExtractionConfig, parse, verify

    _bound_memory()
    targets = [LatexExtractionConfig(boxed_match_priority=-1)]

    def parsed(text: str) -> list:
        return parse(f"${text}$", targets, "no_fallback", parsing_timeout=None)

    print("ready", file=out, flush=True)
    for line in sys.stdin:
        answer, gold, limit_s = json.loads(line)
        said = "no"
        faulthandler.dump_traceback_later(2 * limit_s + 1, exit=True)  # ends us where our parent was killed
        try:
            said = "yes" if verify(parsed(gold), parsed(answer), timeout_seconds=None) else "no"
        except (MemoryError, RecursionError):
            said = "undecided"
        except Exception:  # what cannot be parsed is not equal
            said = "no"
        faulthandler.cancel_dump_traceback_later()
        print(said, file=out, flush=True)


def _bound_memory() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    main()
