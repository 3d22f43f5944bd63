"""Keys: how one is masked in what comes back, and what in a config looks like one.

    Mask("sk-a/b-0123").text('wrong key "sk-a\\\\/b-0123"') → 'wrong key "***"'

One design decision: a key is looked for in decoded text, and before anything is cut, so that no way of writing it
down and no length hides half of it. What is shorter than a key can be ("none", "EMPTY") is not masked: it would be
cut out of ordinary words.
"""

import os
import re
from collections.abc import Iterable, Iterator

SHORTEST = 6
HIDDEN = "***"

_SCHEME = r"(?:bearer|basic)\s+(?=\S*[0-9=])\S{8,}\s*$"
_KEY = re.compile(
    rf"\s*(?:(?:sk|pk|rk)[-_][\w-]{{16}}|(?:gsk_|hf_|xai-|pplx-|nvapi-|ghp_|AIza)\w{{16}}|{_SCHEME})", re.I)
_PERHAPS = re.compile(r"\s*(?:sk-\S|bearer\s+\S)", re.I)
_NAME = re.compile(
    r"(?:^|_)(?:(?:api|access|secret|private|auth|subscription|account|client)_?keys?|apikeys?|"
    r"(?:api|access|secret|auth|bearer|session|refresh)_?tokens?|secrets?|passwords?|passwd|passphrase|"
    r"authori[sz]ation|authentication|bearer|credentials?|cookies?|headers?)$|^(?:key|token|auth)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Mask:
    """Masks one key; an empty or short one masks nothing."""

    def __init__(self, key: str) -> None:
        self._pattern, self._part = None, ""
        if len(key) >= SHORTEST:
            self._pattern = re.compile("".join(map(_ways, key)))
            self._part = max(re.findall("[A-Za-z0-9]+", key) or [""], key=len)  # which every way of writing it has

    def text(self, text: str) -> str:
        if self._pattern is None or self._part not in text:
            return text
        return self._pattern.sub(HIDDEN, text)

    def everything(self, value: object) -> object:
        """Decoded JSON with the key masked in each of its texts, however deep."""
        whole = [value]
        todo: list[list | dict] = [whole]
        while todo:
            place = todo.pop()
            for at, inner in list(place.items() if isinstance(place, dict) else enumerate(place)):
                if isinstance(at, str) and (name := self.text(at)) != at:
                    place[name] = place.pop(at)
                    at = name
                if isinstance(inner, str):
                    place[at] = self.text(inner)
                elif isinstance(inner, dict | list):
                    todo.append(inner)
        return whole[0]


def _ways(letter: str) -> str:
    """A pattern of all ways to write a letter of a key: as it is, as JSON has it, be it text inside text inside
    JSON, as an address has it, and as a page has it."""
    if letter.isascii() and letter.isalnum():
        return letter
    coded = "%(?:25)*".join(("", *(f"{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))))
    named = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}.get(letter, "#")
    return (rf"(?:\\*{re.escape(letter)}|(?i:{coded})|\\+u(?i:{ord(letter):04x})|"
            rf"&(?:amp;)*(?:#(?:0*{ord(letter)}|(?i:x0*{ord(letter):x}))|{named});)")


def looks_like_a_key(value: str, *, here: bool = False) -> bool:
    """Whether a text begins as keys of the known providers and Authorization headers do; `here`, where nothing
    else has a reason to begin so, whatever follows."""
    return bool(_KEY.match(value) or (here and _PERHAPS.match(value)))


def names_a_key(name: str) -> bool:
    """Whether a field of that name would hold a key, or headers, which do: openaiApiKey, Authorization."""
    return bool(_NAME.search(re.sub(r"[-. ]", "_", _CAMEL.sub("_", name)).lower()))


def key_field(table: object) -> str | None:
    """The name of the first field, however deep, that would hold a key or headers; None where there is none. One
    that holds a table, as in the properties of a schema, does not, unless it is called headers."""
    for name, inner in table.items() if isinstance(table, dict) else ():
        values = inner if isinstance(inner, list) else [inner]
        plain = any(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values)
        if names_a_key(name) and (plain or "header" in name.lower()):
            return name
    for inner in table.values() if isinstance(table, dict) else table if isinstance(table, list) else ():
        if deeper := key_field(inner):
            return deeper
    return None


def texts_in(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, text) of every text in a table, names of fields included (at the path of their table)."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield path, str(name)
            yield from texts_in(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner, path)


def key_in(table: object, variables: Iterable[str] = (), *, here: bool = False) -> str | None:
    """What is wrong with a table that holds a key or the value of one of these environment variables, and where;
    None where it holds none. The key itself is not repeated. `here`: as in `looks_like_a_key`."""
    values = [(name, value) for name in variables if len(value := os.environ.get(name, "").strip()) >= SHORTEST]
    for path, text in texts_in(table):
        where = ".".join(path) or "a name in it"
        for name, value in values:
            if value in text:
                return (f"{where} holds the value of the environment variable {name}; keys stand in the "
                        "environment only")
        if looks_like_a_key(text, here=here):
            return f"{where} looks like a key; keys stand in the environment only (api_key_env names the variable)"
    return None
