"""Symbolic equality by math-verify, in worker processes that their parent kills at a wall-clock limit.

One design decision: math-verify's own limit is a signal that works in a main thread only and reports "wrong", so
it is switched off, and a comparison that takes too long costs its process its life and is a GradingTimeout. A
worker is an ordinary subprocess (the caller is not forked, its script not imported again), started at the first
need; it compares in a fork of its own, which it kills at the limit, and is killed itself where it does not. Any
number of threads share a few of them; a thread that waits for a free one is not late.
"""

import atexit
import contextlib
import json
import os
import queue
import selectors
import subprocess
import sys
import threading
from functools import cache

LIMIT_S = 3.0  # wall-clock seconds for one comparison
WORKERS = 4  # most worker processes of one program; a program with one thread uses one
MEMORY = 1024**3  # bytes of address space that a comparison may use beyond what is loaded
_GRACE_S = 0.5
"""What the worker, which kills its fork at 95 % of the limit, gets beyond the limit before it is killed itself."""

_START_LIMIT_S = 120.0


class GradingTimeout(Exception):
    """Whether two answers are equal could not be decided within the limit: the verdict is ungradable."""


def same_symbolic(answer: str, gold: str, limit_s: float = LIMIT_S) -> bool:
    """Whether two LaTeX expressions are equal. Raises GradingTimeout past `limit_s` wall-clock seconds, and where
    a worker ran out of memory."""
    return _pool(os.getpid()).ask(answer, gold, limit_s)


@cache
def _pool(pid: int) -> "SymbolicPool":
    """One pool per process; after a fork the child starts its own."""
    return SymbolicPool(min(WORKERS, os.cpu_count() or 1))


class SymbolicPool:
    """A few workers that threads take in turn; the one that was used last is taken first."""

    def __init__(self, size: int) -> None:
        self.workers = [MathVerifyProcess() for _ in range(size)]
        self._free: queue.LifoQueue[MathVerifyProcess] = queue.LifoQueue()
        for worker in reversed(self.workers):
            self._free.put(worker)

    def ask(self, answer: str, gold: str, limit_s: float) -> bool:
        """A free worker's yes or no; waits until one is free."""
        worker = self._free.get()
        try:
            return worker.ask(answer, gold, limit_s)
        finally:
            self._free.put(worker)


class MathVerifyProcess:
    """A process of ours in which math-verify works: started when asked, killed when late, replaced when dead."""

    module = "lema.grading.symbolic_worker"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    def ask(self, answer: str, gold: str, limit_s: float) -> bool:
        """The worker's yes or no."""
        reply = self.exchange([answer, gold, 0.95 * limit_s], limit_s + _GRACE_S)
        if reply not in (b"yes\n", b"no\n"):
            raise GradingTimeout(f"not decided within {limit_s:g} s")
        return reply == b"yes\n"

    def exchange(self, question: list, limit_s: float) -> bytes:
        """Its line for a line of JSON; empty where none came within the limit, and then it is killed."""
        with self._lock:
            process = self._running()
            try:
                process.stdin.write(json.dumps(question).encode() + b"\n")
                process.stdin.flush()
                reply = _line(process, limit_s)
            except OSError:
                reply = b""
            except BaseException:  # interrupted: its late reply must not answer the next question
                self.stop()
                raise
            if not reply.endswith(b"\n"):
                self.stop()
                return b""
            return reply

    def stop(self) -> None:
        """Kills the process, if there is one of ours."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def _running(self) -> subprocess.Popen:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONWARNINGS": "ignore"})
        atexit.unregister(self.stop)
        atexit.register(self.stop)
        if _line(self._process, _START_LIMIT_S) != b"ready\n":
            self.stop()
            raise RuntimeError(f"math-verify does not start; see `python -m {self.module}`")
        return self._process


def bound_memory() -> None:
    """Lets this process, a worker, use a bounded amount of memory beyond what it has loaded."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        with open("/proc/self/statm", encoding="ascii") as statm:
            loaded = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (loaded + MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _line(process: subprocess.Popen, limit_s: float) -> bytes:
    """What the worker says within the limit; it answers one short line at a time."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline() if waiting.select(limit_s) else b""
