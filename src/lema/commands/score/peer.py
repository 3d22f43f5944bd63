"""math-verify on whole texts, as its users call it: the grader that lema's own verdicts can be held against.

One design decision: it reads and compares with its own defaults, in a process of its own that is killed at the
limit; so its verdicts are its own, but a late one is ungradable here, where math-verify itself says wrong.
"""

import json
import os
from functools import cache

from lema.grading import Grade
from lema.grading.symbolic import Worker, _line

LIMIT_S = 10.0
"""Wall-clock seconds for reading and comparing one text."""


def grade(text: str, gold: str, limit_s: float = LIMIT_S) -> Grade:
    """What math-verify makes of a text: right, wrong, no_answer, or past the limit ungradable."""
    return _peer(os.getpid()).grade(text, gold, limit_s)


@cache
def _peer(pid: int) -> "Peer":
    return Peer()


class Peer(Worker):
    """The process that reads whole texts."""

    module = "lema.commands.score.peer_worker"

    def grade(self, text: str, gold: str, limit_s: float) -> Grade:
        """Its verdict and what it read."""
        with self._lock:
            process = self._running()
            try:
                process.stdin.write(json.dumps([text, gold, limit_s]).encode() + b"\n")
                process.stdin.flush()
                reply = _line(process, limit_s)
            except OSError:
                reply = b""
            except BaseException:  # interrupted: its late reply must not answer the next question
                self.stop()
                raise
            if not reply.endswith(b"\n"):
                self.stop()
                return Grade("ungradable", None, f"math-verify: not decided within {limit_s:g} s")
        verdict, answer = json.loads(reply)
        return Grade(verdict, answer, "math-verify")
