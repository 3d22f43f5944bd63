"""Worker processes: each performs one call at a time, and all of them stop at once when anything ends.

One design decision: each worker has a pipe of its own and shares no lock with the others, so that a killed one
holds up nobody; and calls that would ask one model the same thing are never under way together, so that the second
of them finds the first one's replies in the journal.
"""

import contextlib
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import NamedTuple

from lema.runs.news import News, Progress

AT_ONCE, IN_ORDER = signal.SIGUSR1, signal.SIGUSR2
GRACE = {AT_ONCE: 10.0, IN_ORDER: 45.0}
"""Seconds that a stopped worker has: for what arrived to be kept, or for replies under way to arrive too."""


class Died(Exception):
    """A worker process ended before its call did."""


class Leave(BaseException):
    """Raised in a worker whose run has ended elsewhere: replies under way are awaited, nothing more is asked."""


class WorkerCall(NamedTuple):
    """What a worker does. Calls of one `turn` are performed one after the other; None: beside all others."""

    perform: Callable
    arguments: tuple
    turn: Hashable = None


class _WorkerProcess(NamedTuple):
    process: object
    pipe: Connection

    @property
    def ended(self) -> bool:
        return self.process.exitcode is not None


class Workers:
    """A process for each of `arguments`. `start(tell, *arguments)` is entered in each and held until it ends;
    `tell` takes its news here."""

    def __init__(self, start: Callable[..., AbstractContextManager], arguments: Sequence[tuple],
                 progress: Progress) -> None:
        self._progress = progress
        self._workers: list[_WorkerProcess] = []
        context = get_context("spawn")
        for given in arguments:
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, start, given))
            with _undisturbed():
                process.start()
            theirs.close()  # so that it reads our end's end, and we read its
            self._workers.append(_WorkerProcess(process, ours))

    def perform(self, calls: Sequence[WorkerCall],
                following: Callable[[WorkerCall], Sequence[WorkerCall]] = lambda done: ()) -> None:
        """All of them; raises what one raised, or Died, as soon as it is known, after all others have stopped.
        `following` gives the calls that a finished one makes possible; they go before all that still wait."""
        waiting, busy = list(calls), {}
        try:
            while waiting or busy:
                self._hand_out(waiting, busy)
                for worker in self._heard(busy):
                    waiting[:0] = following(busy.pop(worker.pipe))
        except KeyboardInterrupt:
            self.stop(AT_ONCE)
            raise
        except BaseException:
            self.stop(IN_ORDER)
            raise

    def _hand_out(self, waiting: list[WorkerCall], busy: dict[Connection, WorkerCall]) -> None:
        for worker in self._workers:
            turns = {call.turn for call in busy.values()} - {None}
            call = next((call for call in waiting if call.turn not in turns), None)
            if call is None:
                return
            if worker.pipe not in busy:
                waiting.remove(call)
                busy[worker.pipe] = call
                with contextlib.suppress(OSError):  # it is dead: its end is heard of at once
                    worker.pipe.send(call)

    def _heard(self, busy: dict[Connection, WorkerCall]) -> list[_WorkerProcess]:
        """Waits for anything that a worker says; those whose call is done."""
        done = []
        ends = [worker.process.sentinel for worker in self._workers]
        ready = wait([*(worker.pipe for worker in self._workers), *ends])
        for worker in self._workers:
            if worker.pipe in ready:
                try:
                    heard = worker.pipe.recv()
                except (EOFError, OSError):
                    raise Died from None
                if isinstance(heard, News):
                    self._progress(heard)
                elif isinstance(heard, BaseException):
                    raise heard
                else:
                    done.append(worker)
            elif worker.process.sentinel in ready:
                raise Died
        return done

    def stop(self, how: signal.Signals | None = None) -> None:
        """Ends all workers: those that are at work as `how` says, the others at once."""
        try:
            for worker in self._workers:
                with contextlib.suppress(OSError):
                    if how is None:
                        worker.pipe.send(None)
                    elif not worker.ended:
                        os.kill(worker.process.pid, how)
            last = time.monotonic() + GRACE.get(how, GRACE[AT_ONCE])
            while any(not worker.ended for worker in self._workers) and time.monotonic() < last:
                self._drain()
        finally:
            for worker in self._workers:
                worker.pipe.close()  # whoever is still there leaves now
                worker.process.join(GRACE[AT_ONCE])
                if not worker.ended:
                    worker.process.kill()
                    worker.process.join()
            self._workers.clear()

    def _drain(self) -> None:
        """Hears what workers say while they end, so that none waits for it to be heard."""
        alive = [worker for worker in self._workers if not worker.ended]
        pipes = {worker.pipe: worker for worker in alive}
        for ready in wait([*pipes, *(worker.process.sentinel for worker in alive)], 0.1):
            if ready in pipes:
                try:
                    ready.recv()
                except (EOFError, OSError):
                    pipes[ready].process.join(0.05)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits for the end of the block: a process whose starting is broken off cannot read what it is to do,
    and says so at length. What is started here heeds it when it is ready to (`_heed_signals`)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    heeded = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which the new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, heeded)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _work(pipe: Connection, start: Callable[..., AbstractContextManager], arguments: tuple) -> None:
    """The whole life of a worker."""
    _heed_signals()
    calls, saying = [], threading.Lock()
    ready = threading.Semaphore(0)

    def say(what: object) -> None:
        with saying, contextlib.suppress(OSError):  # nobody is there any more
            pipe.send(what)

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                calls.append(pipe.recv())
                ready.release()
        os._exit(1)  # whoever started us is gone

    threading.Thread(target=listen, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, Leave), start(say, *arguments):
        while True:
            ready.acquire()
            call = calls.pop(0)
            if call is None:
                return
            say(_outcome(call))


def _heed_signals() -> None:
    """The first signal ends what is at work, and no later one its ending. Of one that came already Python would
    say on the terminal that it is ignored; so later ones are heard, and nothing is done."""
    def leave(number: int, frame: object) -> None:
        for heeded in (signal.SIGINT, AT_ONCE, IN_ORDER):
            signal.signal(heeded, lambda number, frame: None)
        raise Leave if number == IN_ORDER else KeyboardInterrupt

    for heeded in (signal.SIGINT, AT_ONCE, IN_ORDER):
        signal.signal(heeded, leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # blocked since before this process began


def _outcome(call: WorkerCall) -> Exception | None:
    """None, or what the call raised, with where: a traceback does not cross the border itself."""
    try:
        call.perform(*call.arguments)
    except Exception as error:
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return error
    return None
