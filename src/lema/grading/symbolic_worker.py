"""The process in which math-verify works: JSON [answer, gold, seconds] per line in; "yes", "no" or "undecided"
per line out. Run by lema.grading.symbolic.

One design decision: it loads math-verify once and compares in a fork of itself, so that a comparison that is
killed at its limit costs milliseconds and not another start. Both sides are parsed as LaTeX only, because
math-verify's parser for plain expressions evaluates Python; and the fork may use a bounded amount of memory, so
that a hostile expression kills this process and nothing else.
"""

import contextlib
import json
import logging
import os
import select
import signal
import sys
from collections.abc import Callable

from lema.grading.symbolic import bound_memory

WARMING = (("\\frac{1}{2}+x", "x+0.5"), ("\\{1,2\\}", "\\{2,1\\}"), ("[0,1)", "(0,1)"))


def main() -> None:
    """Answers until its input ends."""
    logging.disable(logging.CRITICAL)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    compare = _comparison()
    for answer, gold in WARMING:
        compare(answer, gold)
    print("ready", file=out, flush=True)
    child: Child | None = None
    for line in sys.stdin:
        answer, gold, limit_s = json.loads(line)
        if child is None:
            child = Child(compare)
        reply = child.ask(line, limit_s)
        if reply not in ("yes", "no"):
            child.stop()
            child, reply = None, "undecided"
        print(reply, file=out, flush=True)
    if child is not None:
        child.stop()


class Child:
    """A fork that compares, until it is stopped."""

    def __init__(self, compare: Callable[[str, str], str]) -> None:
        ours, theirs = os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(ours[1])
            os.close(theirs[0])
            bound_memory()
            _serve(ours[0], theirs[1], compare)
        os.close(ours[0])
        os.close(theirs[1])
        self._ask, self._hear = ours[1], theirs[0]

    def ask(self, line: str, limit_s: float) -> str:
        """What it says within the limit; "" where it says nothing."""
        with contextlib.suppress(OSError):
            os.write(self._ask, line.encode())
            if select.select([self._hear], [], [], limit_s)[0]:
                return os.read(self._hear, 16).decode().strip()
        return ""

    def stop(self) -> None:
        """Kills it and waits for its end."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._ask)
        os.close(self._hear)


def _serve(requests: int, replies: int, compare: Callable[[str, str], str]) -> None:
    """The fork's whole life: ends with its parent, whose end closes the pipe that it reads."""
    try:
        for line in os.fdopen(requests):
            answer, gold, limit_s = json.loads(line)
            signal.alarm(int(2 * limit_s) + 2)  # ends us where our parent was killed in the middle
            os.write(replies, compare(answer, gold).encode() + b"\n")
            signal.alarm(0)
    finally:
        os._exit(0)


def _comparison() -> Callable[[str, str], str]:
    from math_verify import LatexExtractionConfig, parse, verify

    targets = [LatexExtractionConfig(boxed_match_priority=-1)]

    def parsed(text: str) -> list:
        return parse(f"${text}$", targets, "no_fallback", parsing_timeout=None)

    def compare(answer: str, gold: str) -> str:
        try:
            wanted, stated = parsed(gold), parsed(answer)
            # asked both ways: what has infinity in it, it may call equal in one of them only
            same = verify(wanted, stated, timeout_seconds=None) and verify(stated, wanted, timeout_seconds=None)
            return "yes" if same else "no"
        except (MemoryError, RecursionError):
            return "undecided"
        except Exception:  # what cannot be parsed is not equal
            return "no"

    return compare


if __name__ == "__main__":
    main()
