"""Values of models and files on a terminal line.

One design decision: nothing that a model, a server or a file says reaches the terminal as it is. What moves the
cursor, hides or turns round what stands beside it is escaped where lines leave the process (`guard`), whoever
prints them, as JSON writes it (`\\u001b`), so that what programs read stays the same value.
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import Any, TextIO

UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e0fff]|\r(?!\n)")
"""Controls (C0 but tab and line ends, C1), marks of direction, what has no width or looks like a line's end, and
halves of surrogate pairs. Joiners stay: scripts and emoji need them."""
LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""What JSON may hold as it is, and str.splitlines takes for the end of a line."""


def printable(text: str) -> str:
    """The text with everything escaped that is no text to see."""
    return text if text.isascii() and text.isprintable() else UNSEEN.sub(_escape, text)


def one_line(json_text: str) -> str:
    """JSON text of the same value, which every reader of lines takes for one line."""
    return json_text if json_text.isascii() else LINE_ENDS.sub(_escape, json_text)


def _escape(match: re.Match) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at:at + 2].hex()}" for at in range(0, len(units), 2))


def short(value: str | None, most: int = 60) -> str:
    """A value as one printable line of at most `most` characters; "–" for None."""
    if value is None:
        return "–"
    text = value if value.isprintable() else repr(value)[1:-1]
    return text if len(text) <= most else text[:most - 1] + "…"


READINGS = {"better": 32, "helps": 32, "worse": 31, "harms": 31, "no difference shown": 33,
            "is not shown to help": 33, "going on": 36, "stale": 33, "damaged": 31}
"""Words that say how something stands, and the colour (of ANSI) that they have on a terminal."""
_READING = re.compile(rf"(?<![\w-])({'|'.join(sorted(READINGS, key=len, reverse=True))})(?![\w-])")


def coloured(text: str) -> str:
    """Printable text whose readings have their colours."""
    return _READING.sub(lambda word: f"\x1b[{READINGS[word[0]]}m{word[0]}\x1b[0m", printable(text))


def say(text: str) -> None:
    """Prints what a command found; on a terminal that shows colours (and NO_COLOR is not set) with them."""
    stream = sys.stdout
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb" or text[:1] in "{["  # JSON
    if plain or not stream.isatty():
        print(text)
        return
    stream.flush()
    getattr(stream, "rich_proxied_file", stream).write(coloured(text) + "\n")  # escaped already, but the colours


class Guarded:
    """A text stream whose lines are printable; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(printable(text))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def rich_proxied_file(self) -> TextIO:
        """Where rich draws: its colours pass, so whoever hands it text of others escapes that before."""
        inner = self._stream
        while (deeper := getattr(inner, "rich_proxied_file", None)) is not None:
            inner = deeper
        return inner


def guard() -> None:
    """From here on, what this process prints is printable: by us, by a library, or in a traceback."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:  # a process may have been started without
            with contextlib.suppress(AttributeError, ValueError):
                stream.reconfigure(errors="backslashreplace")  # what the terminal's encoding does not have
            setattr(sys, name, Guarded(stream))


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """The same for the length of the block."""
    before = sys.stdout, sys.stderr
    guard()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
