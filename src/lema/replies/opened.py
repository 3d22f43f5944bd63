"""A corrector's reply without its wrapping: thoughts, fences, JSON and tags become plain labelled lines.

One design decision: whatever form the three parts come in, they leave here in one form, lines that begin with
"Incorrect Step:", "Explanation:", "Correct Solution:" (or "Mistakes:", "Corrected Answer:"), so that there is one
reader of them.
"""

import json
import re

LONGEST = 200_000  # characters of a reply that are looked at; no correction is longer
_LINE_ENDS = dict.fromkeys((0x0D, 0x2028, 0x2029), "\n")
_THOUGHT = re.compile(r"</(?:think|thinking|thought|thoughts|scratchpad)>", re.I)
_THINKING = re.compile(r"<(?:think|thinking|thought|thoughts|scratchpad)>", re.I)
_FENCE = re.compile(r"^[ \t>*-]{0,9}(?:```|~~~)[\w+-]{0,20}[ \t]*$", re.M)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z_ -]{1,30})>")
_KEY = re.compile(r"^[ \t]{0,9}([a-z]{2,20}_[a-z_]{2,20})[ \t]{0,3}:[ \t]{0,3}(?:[|>]-?(?=[ \t]*$))?", re.M)
_OBJECT = re.compile(r'\{\s{0,40}"[A-Za-z_ ]{2,40}"\s{0,9}:')
_ESCAPE = re.compile(
    r'\\\\|\\(?=(?:boxed|begin|binom|bar\b|beta|big|bmod|bullet|frac|forall|not\b|nmid|nabla|right|rho|rangle|rfloor'
    r'|rceil|text|times|theta|tan\b|tau\b|to\b|triangle|tfrac|tbinom|underline)|[^"\\/bfnrtu])')
_INLINE = re.compile(
    r"(?<=[^\s*_#(])[ \t]{1,3}(?=\*{0,2}(?:Explanation|Correct(?:ed)? (?:Solution|Steps|Answer))\*{0,2}:)")

LABELS = {"step": "Incorrect Step:", "explanation": "Explanation:", "solution": "Correct Solution:",
          "mistakes": "Mistakes:", "answer": "Corrected Answer:"}
_KEYS = {
    "step": "incorrectstep wrongstep errorstep firsterrorstep firstincorrectstep firstwrongstep "
            "incorrectstepnumber wrongstepnumber errorstepnumber erroneousstep stepnumber step",
    "explanation": "explanation reason errorreason erroranalysis analysis why",
    "solution": "correctsolution correctedsolution correctsteps correctedsteps correctedstep correction solution "
                "steps",
    "mistakes": "mistakes mistake",
    "answer": "correctedanswer correctanswer answer",
}
_PART = {key: part for part, keys in _KEYS.items() for key in keys.split()}


def opened(reply: str) -> str:
    """The reply as labelled plain text with "\\n" as its only line end."""
    text = _THOUGHT.split(with_line_ends(reply[:LONGEST]))[-1]
    text = _FENCE.sub("", _THINKING.split(text, maxsplit=1)[0])
    text = _from_object(text) or _KEY.sub(_as_named, _TAG.sub(_as_label, text))
    return _INLINE.sub("\n", text)


def with_line_ends(text: str) -> str:
    """The text with "\\n" as its only line end."""
    return text.replace("\r\n", "\n").translate(_LINE_ENDS)


def _as_label(tag: re.Match) -> str:
    """A tag like <explanation> as its label; other tags stay."""
    part = _PART.get(_key(tag[2]))
    if part is None:
        return tag[0]
    return "\n" if tag[1] else f"\n{LABELS[part]} "


def _as_named(key: re.Match) -> str:
    """A key like incorrect_step: as its label."""
    part = _PART.get(_key(key[1]))
    return key[0] if part is None else f"{LABELS[part]} "


def _from_object(text: str) -> str:
    """The parts of the first JSON object that has them; empty where there is none. Backslashes of LaTeX that were
    not doubled are doubled first: "\\frac" is no form feed."""
    start = _OBJECT.search(text)
    if start is None:
        return ""
    mended = _ESCAPE.sub(lambda match: match[0] if len(match[0]) == 2 else "\\\\", text[start.start():])
    try:
        fields, _ = json.JSONDecoder(strict=False).raw_decode(mended)
    except (ValueError, RecursionError):
        return ""
    parts: dict[str, object] = {}
    for key, value in fields.items():
        if part := _PART.get(_key(key)):
            parts.setdefault(part, value)
    if not parts.keys() & {"solution", "answer"}:
        return ""
    lines = []
    for part in filter(parts.__contains__, LABELS):
        separator = "\n" if part in ("solution", "answer") else " "
        lines.append(f"{LABELS[part]}{separator}{_as_text(part, parts[part])}")
    return "\n".join(lines)


def _as_text(part: str, value: object) -> str:
    if part == "step":
        return _first_number(value)
    if isinstance(value, list):
        return "\n".join(_as_text(part, element) for element in value)
    if isinstance(value, dict):
        return _as_step(value)
    return "" if value is None else str(value)


def _as_step(fields: dict) -> str:
    """A step that is an object of its own: its number, and the last text in it."""
    number = next((v for k, v in fields.items() if _PART.get(_key(k)) == "step" or _key(k) == "number"), None)
    text = next((v for v in reversed(fields.values()) if isinstance(v, str) and v != number), "")
    return f"Step {_digits(number)}: {text}" if _digits(number) else text


def _first_number(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    digits = _digits(value)
    if digits and int(digits) > 0:
        return f"Step {digits}"
    return "None" if value in (None, 0, -1, "") else str(value)


def _digits(value: object) -> str:
    digits = None if isinstance(value, bool) else re.search(r"-?\d{1,4}", str(value))
    return digits[0] if digits else ""


def _key(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())
