"""Where a free text says itself that this is its answer: the answer sentence, \\boxed, "####", "A:".

One design decision: the last statement wins. A plain search for a few letters comes before every pattern, and
every pattern is bounded, so that reading is linear in the text and most of it is never looked at twice.
"""

import re
from collections.abc import Iterator

LONGEST = 600
"""Characters that a stated answer may have; a longer one is no final answer."""

LONGEST_TEXT = 200_000
"""Characters from the end back that are read."""

MOST = 50
"""Statements of one text that are looked at, from the last one back."""

_QUESTION = re.compile(
    r"[ \t#*>]{0,8}(?:(?:(?:next|new)[ \t]{1,3})?(?:question|problem|q)[ \t]{0,3}[0-9]{0,4}[ \t*]{0,4}:"
    r"|(?:human|user)[ \t*]{0,3}:)", re.I)
_TURN = re.compile(r"<\|(?:im_start|im_end|endoftext|eot_id|end_of_text|user)\|>")
_OPENS_LINE = 40
"""Characters from the beginning of a line in which "Question:" must end."""

_ANSWER = re.compile(
    r"(?<![/A-Za-z])answers?(?:>|\b[^\n.:=>]{0,40}?"
    r"(?:\b(?:is|are|was|equals|(?:would|will|must|should) be|comes to)\b|:|=))"
    r"[\s:*_]{0,12}(?:(?<=\n)- )?", re.I)
_HEADING = re.compile(
    r"^[ \t]{0,3}[#*]{1,6}[ \t]{0,3}(?:final )?answer[ \t]{0,3}\*{0,3}[ \t]{0,3}\n\s{0,8}", re.I | re.M)
_FOREIGN = re.compile(
    r"(?:\b(?:réponses?|respuestas?|respostas?|rispost[ae]|antwort(?:en)?|ответ)\b[^\n.:=]{0,40}?"
    r"(?:\b(?:est|es|ist|è|é)\b|:|=|：)|答案[^\n。:：=]{0,20}?[是为為:：])[\s:：*_]{0,12}", re.I)
_FOREIGN_HINTS = ("ntwort", "espuesta", "esposta", "ispost")
_LINE_FORM = re.compile(r"^[ \t]{0,8}(?:(#{4})(?!#)|A:|Ans\.?:)[ \t]{0,8}(?=\S)", re.M)
_SENTENCE_END = re.compile(
    r"\n|</|(?<!\\)(?<!\bRs)(?<!\bMr)(?<!\bMrs)(?<!\bDr)[.!?](?=[\s\"')*$\]]|$)|。")
_BRACE = re.compile(r"\\(?:begin)?(?:boxed|fbox)\s{0,4}\{|\\[{}\\]|[{}]")
_AFTER = re.compile(r"(?:[\s$.)\]]|\\[)\]]){0,12}")
_BARE_BOX = re.compile(r"\\boxed\s{0,2}(\\?[A-Za-z0-9]+)")
_JOINT = re.compile(
    r"(?:[\s$,;.&]|\\[()\[\],;: ]|\\q?quad|\\(?:text|mbox|mathrm)\s?\{[^{}]{0,30}\}|\b(?:and|or)\b){0,12}")
_PERCENT = re.compile(r"[\s$]{0,3}(?:\\\)|\\\])?[\s$]{0,3}(?:\\?%|percent(?:age)?\b|pct\b)")
_OPENING = re.compile(r"[\s\"“*\\_]{0,6}?(\$\$|\$|\\\(|\\\[)")
_MONEY = re.compile(r"\$ ?[0-9][0-9,]*(?:\.[0-9]+)?(?![0-9.]*\s?(?:\$|\\|[\^_={}+*/-]))")
_MORE = re.compile(r"\s{0,3}(?:,|;|\band\b|\bor\b|, and\b|, or\b|\"){1,2}\s{0,3}(?=\$|\\\(|\\\[)")
_CLOSING = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}


def own_part(text: str) -> str:
    """The text up to the next "Question:" that a model goes on to invent; one at its very start stays. Of a text
    that is longer than any answer should be, only the end."""
    text = text[-LONGEST_TEXT:]
    end = len(text)
    if "<|" in text:
        end = next((turn.start() for turn in _TURN.finditer(text) if text[:turn.start()].strip()), end)
    at = text.find(":", 0, end)
    while at >= 0:
        opens = text.rfind("\n", max(0, at - _OPENS_LINE), at) + 1 or (0 if at < _OPENS_LINE else -1)
        if opens >= 0 and _QUESTION.match(text, opens) and text[:opens].strip():
            return text[:opens]
        at = text.find(":", at + 1, end)
    return text[:end]


def closing_box(text: str) -> str | None:
    """What is in the only box of a text that ends with it; None for any other text."""
    at = text.rfind("\\boxed{")
    if at < 0 or len(text) - at > LONGEST or text.find("box") != at + 1:
        return None
    depth = 0
    for brace in _BRACE.finditer(text, at):
        if brace[0] == "}":
            depth -= 1
            if not depth:
                inside = text[at + 7:brace.start()].strip()
                return inside if inside and _AFTER.fullmatch(text, brace.end()) else None
        elif brace[0][-1] == "{" and brace[0] != "\\{":
            depth += 1
    return None


def statements(text: str) -> Iterator[tuple[str, str]]:
    """(value, form) of everything that the text states as its answer, the last one first."""
    found: list[tuple[int, int, str]] = []
    if "nswer" in text or "NSWER" in text:
        for form in (_ANSWER, _HEADING):
            found += [(match.start(), match.end(), "answer sentence") for match in form.finditer(text)]
    if not text.isascii() or any(hint in text for hint in _FOREIGN_HINTS):
        found += [(match.start(), match.end(), "answer sentence") for match in _FOREIGN.finditer(text)]
    if "####" in text or "A:" in text or "Ans" in text:
        found += [(match.start(), match.end(), match[1] or "A:") for match in _LINE_FORM.finditer(text)]
    boxes = {start: value for start, value in _joined(text, list(_boxes(text)))}
    found += [(start, start, "boxed") for start in boxes]
    for start, end, how in sorted(found, reverse=True)[:MOST]:
        value = boxes[start] if how == "boxed" else stated_at(text, end)
        if value:
            yield value, how


def stated_at(text: str, start: int) -> str:
    """What stands from `start` to the end of its sentence; of mathematics, the formulas joined by "and"."""
    opening = _OPENING.match(text, start)
    if opening and not _MONEY.match(text, opening.start(1)) and (end := _formulas_end(text, opening)):
        return text[opening.start(1):end].strip()
    window = text[start:start + LONGEST]
    end = _SENTENCE_END.search(window)
    return (window[:end.start()] if end else window).strip(" \t*_")


def _formulas_end(text: str, opening: re.Match) -> int:
    """Where the formula that opens here, and those that "and" joins to it, end; 0 where it is not closed."""
    end = 0
    for _ in range(20):
        close = _closing(text, opening)
        if close < 0 or not text[opening.end():close].strip():
            break
        end = close + len(opening[1])
        more = _MORE.match(text, end)
        if not more or not (opening := _OPENING.match(text, more.end())):
            break
    percent = _PERCENT.match(text, end) if end else None
    return percent.end() if percent else end


def _closing(text: str, opening: re.Match) -> int:
    """Where the sign that closes this formula stands; an escaped dollar closes nothing."""
    close = text.find(_CLOSING[opening[1]], opening.end(), opening.end() + LONGEST)
    while close > 0 and text[close - 1] == "\\" and text[close] == "$":
        close = text.find(_CLOSING[opening[1]], close + 1, opening.end() + LONGEST)
    return close


def _boxes(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, content) of every closed \\boxed{...}, in one pass over the braces from the first box on."""
    first = min((at for at in (text.find("boxed"), text.find("\\fbox")) if at >= 0), default=-1)
    if first < 0:
        return
    opened: list[tuple[int, int]] = []
    for brace in _BRACE.finditer(text, max(0, first - 6)):
        if brace[0] == "}":
            if opened:
                start, inside = opened.pop()
                if start >= 0 and brace.start() - inside <= LONGEST:
                    yield start, brace.end(), text[inside:brace.start()].strip()
        elif brace[0][-1] == "{" and brace[0] != "\\{":
            opened.append((brace.start() if len(brace[0]) > 1 else -1, brace.end()))
    if "\\boxed{" not in text:
        yield from ((bare.start(), bare.end(), bare[1]) for bare in _BARE_BOX.finditer(text, max(0, first - 6)))


def _joined(text: str, boxes: list[tuple[int, int, str]]) -> Iterator[tuple[int, str]]:
    """The boxes, those side by side as one list: \\boxed{1} and \\boxed{2}."""
    boxes.sort()
    row: list[str] = []
    first = last = -1
    for start, end, value in boxes[-MOST:]:
        if not value or start < last:  # empty, or inside the one before
            continue
        joint = _JOINT.match(text, last, start) if row and start - last <= 60 else None
        if joint is None or joint.end() != start:
            if row:
                yield first, ", ".join(row)
            row, first = [], start
        row.append(value)
        last = end
        if (percent := _PERCENT.match(text, end)) and "%" not in value:
            row[-1] += " %"
            last = percent.end()
    if row:
        yield first, ", ".join(dict.fromkeys(row))
