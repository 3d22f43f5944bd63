"""Chat templates, rendered in a process of their own that is ended where a template does not come to an end.

One design decision: a template of unknown origin may loop for some messages only, so no probe can vouch for it and
every prompt is rendered there. The process is started at the first need, serves all threads in turn, and is a
plain script without our environment (template_worker.py).
"""

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lema.checkpoints import first_line
from lema.errors import ModelError
from lema.messages import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WORKER = Path(__file__).with_name("template_worker.py")
LIMIT_S = 60.0
"""Wall-clock seconds for a rendering; the worker itself computes two at most, so a busy machine is no refusal."""
START_LIMIT_S = 120.0
KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")
"""What the worker gets of our environment, in which keys stand."""


def rendered_by_template(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> str:
    """The messages by the tokenizer's chat template, up to where the assistant begins. ModelError where it refuses
    them, is no template, or does not come to an end."""
    try:
        template = tokenizer.get_chat_template()
    except ValueError as error:  # several of them, and none is the default
        raise ModelError(f"the model's chat template cannot be chosen ({first_line(error)})") from None
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    chat = [{"role": message.role, "content": message.content} for message in messages]
    return _renderer(os.getpid()).render(template, chat, special)


@cache
def _renderer(pid: int) -> "Renderer":
    """One per process; after a fork the child starts its own."""
    return Renderer()


class Renderer:
    """The rendering process: started when asked, ended when late, replaced when dead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._template: str | None = None  # the one that the process has compiled

    def render(self, template: str, chat: list[dict], special: dict[str, str]) -> str:
        """The rendered text."""
        with self._lock:
            process = self._running()
            new = None if template == self._template else template
            self._template = None
            try:
                process.stdin.write(json.dumps([new, chat, special]).encode() + b"\n")
                process.stdin.flush()
                reply = _line(process, LIMIT_S)
            except OSError:
                reply = b""
            except BaseException:  # interrupted: its late reply must not answer the next question
                self.stop()
                raise
            if not reply.endswith(b"\n"):
                self.stop()
                raise ModelError("the model's chat template does not come to an end; mend or delete its "
                                 "chat_template.jinja, or set form = \"completions\"")
            sort, text = json.loads(reply)
            if sort == "error":
                raise ModelError(f"the model's chat template refuses these messages ({text})")
            self._template = template
            return text

    def stop(self) -> None:
        """Ends the process, if there is one of ours."""
        if self._process is None:
            return
        process, self._process, self._template = self._process, None, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def _running(self) -> subprocess.Popen:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.stop()
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen([sys.executable, str(WORKER)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        atexit.unregister(self.stop)
        atexit.register(self.stop)
        if _line(self._process, START_LIMIT_S) != b"ready\n":
            self.stop()
            raise ModelError(f"the process that renders chat templates does not start; see `python {WORKER}`")
        return self._process


def _line(process: subprocess.Popen, limit_s: float) -> bytes:
    """The line that the process says within the limit; what there is of it where it is late, or ends."""
    out, deadline, line = process.stdout.fileno(), time.monotonic() + limit_s, b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(out, selectors.EVENT_READ)
        while not line.endswith(b"\n") and waiting.select(max(0.0, deadline - time.monotonic())):
            part = os.read(out, 1 << 16)
            if not part:
                break
            line += part
    return line
