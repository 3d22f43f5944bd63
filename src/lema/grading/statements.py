"""Where a free text says itself that this is its answer: the answer sentence, \\boxed, "####", "A:".

One design decision: the last statement wins. A plain search for a few letters comes before every pattern, and
every pattern is bounded, so that reading is linear in the text and most of it is never looked at twice.
"""

import re
from collections.abc import Iterator

CUT = "cut off"  # how a box was found that the end of the text leaves open
LONGEST = 600  # characters that a stated answer may have; a longer one is no final answer
MOST_BETWEEN = 1500  # characters between the boxes of two parts
MOST = 50  # statements of one text that are looked at, from the last one back
_ANSWER = re.compile(
    r"(?<![/A-Za-z])answers?(?:>|\b[^\n.:=>]{0,40}?"
    r"(?:\b(?P<no>(?:is|was|wo|ca|could|should)n['’]t(?: be)?|(?:cannot|can not|could not|must not) be)\b"
    r"|\b(?:is|are|was|equals|(?:would|will|must|should) be|comes to"
    r"|(?:could|can|may|might) be(?=[\s:*_]{0,4}(?:either )?[$(\\]{0,2}-?[0-9]))\b|:|=))"
    r"[\s:*_]{0,12}(?:(?<=\n)- )?", re.I)
_GROUP_END = re.compile(r"\}(?:\s|\\[ ,;:!]|\\q?quad(?![A-Za-z])|[~=]){0,6}")
_UPRIGHT = re.compile(r"\\(?:text|math|mbox)[a-z]{0,6}\s?\{[^{}\n]{0,30}\Z")
_STORY = re.compile(
    r"(?:\b(?:each|every|per|any|another|an?|one|no|wrong|incorrect|unanswered|blank|number of|count of|if the"
    r"|when the)"
    r"|(?:['’]s|\b(?:his|her|their)) )(?: (?:wrong|right|correct|incorrect|first|second|third|last|given"
    r"|such)){0,2}[ *_]{0,3}\Z", re.I)
_WORTH = re.compile(r"(?:each )?(?:worth|counted|scored)\b", re.I)
_HEADING = re.compile(
    r"^[ \t]{0,3}[#*]{1,6}[ \t]{0,3}(?:final )?answer[ \t]{0,3}\*{0,3}[ \t]{0,3}\n\s{0,8}", re.I | re.M)
_FOREIGN = re.compile(
    r"(?:\b(?:réponses?|respuestas?|respostas?|rispost[ae]|antwort(?:en)?|ответ)\b[^\n.:=]{0,40}?"
    r"(?:\b(?:est|es|ist|è|é)\b|:|=|：)|答案[^\n。:：=]{0,20}?[是为為:：])[\s:：*_]{0,12}", re.I)
_FOREIGN_HINTS = ("ntwort", "espuesta", "spost", "NTWORT", "ESPUESTA", "SPOST")
_FAR_HINTS = (*_FOREIGN_HINTS, "éponse", "ÉPONSE", "твет", "ТВЕТ", "答案")
_HINTS = ("nswer", "NSWER", "####", "A:", "Ans", *_FAR_HINTS)
_ASCII_HINTS = ("nswer", "boxed", "####", "A:", "Ans", "NSWER", "\\fbox", *_FOREIGN_HINTS)
_LINE_FORM = re.compile(r"^[ \t]{0,8}(?:(#{4})(?!#)|A:|Ans\b[.:]{0,2})[ \t]{0,8}(?=\S)", re.M)
_OPTIONS = re.compile(r"[^\n]{0,300}\n\s{0,8}B[:.)]")
_STEP = re.compile(
    r"[*_ ]{0,4}(?:(?:step|part|case|method|phase|section|example|option) {1,3}[0-9IVX(]"
    r"|[0-9]{1,2}[.)] {0,3}[A-Za-z*])", re.I)
_WORDS = re.compile(r"[*_ ]{0,4}[A-Za-z]")
_SENTENCE_END = re.compile(r"\n|</|(?<!\\)(?<!\bRs)(?<!\bMr)(?<!\bMrs)(?<!\bDr)[.!?](?=[\s\"')*$\]]|$)|。")
_BRACE = re.compile(r"[\\{}](?:(?<=[{}])|(?<=\\)(?:[{}\\]|(?:begin)?(?:boxed|fbox)\s{0,4}\{))")
_AFTER = re.compile(r"(?:[\s$.)\]]|\\[)\]]){0,12}")
_EMPTY_BOX = re.compile(r"[$\s]{0,4}\\(?:boxed|fbox)\s{0,4}\{\s{0,9}\}[$\s.]{0,4}|_{2,80}")
_UNCLOSED_END = re.compile(r"\n|\$|\\[)\]]")
_DISPLAY = re.compile(r"\\begin\{([a-z]{3,12}\*?)\}(.{0,600}?)\\end\{\1\}", re.S)
_ALIGNED = frozenset(("equation", "align", "aligned", "gather", "displaymath", "math", "split"))
_QUOTED = re.compile(r"\"((?:[^\"\\\n]|\\.){1,600})\"(?=\s{0,9}[,}])")
_SUMS = re.compile(r"[0-9][0-9,.]*\s?[+*/x×=-]\s?\$[0-9]")
_BARE_BOX = re.compile(r"\\boxed\s{0,2}(\\?[A-Za-z0-9]+)")
_JOINT = re.compile(
    r"(?:[\s$,;.&]|\\[()\[\],;: ]|\\q?quad|\\(?:text|mbox|mathrm)\s?\{[^{}]{0,30}\}|\b(?:and|or)\b"
    r"|\b[A-Za-z](?:_\{?[0-9]\}?)? ?=){0,12}")
_PART_MARK = re.compile(
    r"[\n*.$pP](?:(?<=[\n*])|(?<=[.$]) |(?<=\b[pP])art )[\s*#]{0,6}(?:[Pp]art )?(?:\((?:(?P<roman>ii|iii|iv|v"
    r"|vi)|(?P<letter>[b-h])"
    r"|(?P<number>[2-8]))\)|(?:(?<=[Pp]art )(?:(?P<l2>[b-hB-H])|(?P<n2>[2-8]))|(?P<l3>[b-h]))[.):](?=[\s*$\\]))")
_IN_PART_MARK = re.compile(r"[b-hB-Hiv2-8][.):]")
_ROMAN = ("ii", "iii", "iv", "v", "vi", "vii", "viii")
_UNKNOWN = re.compile(r"(?<![A-Za-z])[A-Za-z](?:_\{?[0-9]\}?)? ?=[ $]*\\?\Z")
_PERCENT = re.compile(r"[\s$]{0,3}(?:\\\)|\\\])?[\s$]{0,3}(?:\\?%|percent(?:age)?\b|pct\b)")
_OPENING = re.compile(r"[\s\"“*\\_]{0,6}?(\$\$|\$|\\\(|\\\[)")
_MONEY = re.compile(r"\$ ?[0-9][0-9,]*(?:\.[0-9]+)?(?![0-9.]*\s?(?:\$|\\|[\^_={}+*/-]))")
_MORE = re.compile(r"\s{0,3}(?:,|;|\band\b|\bor\b|, and\b|, or\b|\"){1,2}\s{0,3}(?=\$|\\\(|\\\[)")
_CLOSING = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}


def closing_box(text: str) -> str | None:
    """What is in the only box of a text that states nothing behind it; None for any other text."""
    at = text.rfind("\\boxed{")
    if at < 0 or len(text) - at > LONGEST or text.find("boxed") != at + 1 or "\\fbox" in text:
        return None
    depth = 0
    for brace in _BRACE.finditer(text, at):
        if brace[0] == "}":
            depth -= 1
            if not depth:
                inside = text[at + 7:brace.start()].strip()
                last = _AFTER.fullmatch(text, brace.end()) or not (
                    _PERCENT.match(text, brace.end()) or _EMPTY_BOX.fullmatch(inside)
                    or any(map(text[brace.end():].__contains__, _HINTS)))
                return inside if inside and last else None
        elif brace[0][-1] == "{" and brace[0] != "\\{":
            depth += 1
    return None


def statements(text: str) -> Iterator[tuple[str, str]]:
    """(value, form) of everything that the text states as its answer, the last one first."""
    return ((value, how) for _, value, how in placed(text))


def placed(text: str) -> Iterator[tuple[int, str, str]]:
    """(where it starts, value, form) of the same."""
    if text.isascii() and not any(map(text.__contains__, _ASCII_HINTS)):
        return
    openings = [*_cues(text), *_foreign_cues(text)]
    denied = {match.start() for match in openings if match.re is _ANSWER and match["no"]}
    places = [(match.start(), _behind_group(text, match), "answer sentence") for match in openings]
    places += [(match.start(), match.end(), match[1] or "A:") for match in _line_forms(text)
               if not _is_heading(text, match)]
    boxes, cut = _all_boxes(text)
    places += [(start, start, "boxed") for start in boxes]
    for start, end, how in sorted(places, reverse=True)[:MOST]:
        value = boxes[start] if how == "boxed" else stated_at(text, end)
        if how == "boxed" and start == cut:
            yield start, value, CUT
        elif value and not _EMPTY_BOX.fullmatch(value):
            yield start, (f"not {value}" if start in denied else value), how


def _cues(text: str) -> list[re.Match]:
    """Every "answer is" and every heading "Answer", found by the letters that they share."""
    cues = []
    for letters in ("nswer", "NSWER"):
        at = text.find(letters)
        while at > 0:
            cue = _ANSWER.match(text, at - 1)
            if cue and not (cues and cue.start() < cues[-1].end()) and not _is_of_the_story(text, cue):
                cues.append(cue)
            line = text.rfind("\n", max(0, at - 24), at) + 1 or (0 if at < 24 else -1)
            if line >= 0 and text[line:line + 4].strip(" \t")[:1] in ("#",
                "*") and (heading := _HEADING.match(text, line)):
                cues.append(heading)
            at = text.find(letters, at + 1)
    return cues


def _foreign_cues(text: str) -> Iterator[re.Match]:
    """The same in other languages, found by letters that stand at most two behind the beginning."""
    for letters in _FOREIGN_HINTS if text.isascii() else _FAR_HINTS:
        at, end = text.find(letters), 0
        while at >= 0:
            for start in range(max(end, at - 2), at + 1):
                if cue := _FOREIGN.match(text, start):
                    end = cue.end()
                    yield cue
                    break
            at = text.find(letters, at + 1)


def _line_forms(text: str) -> Iterator[re.Match]:
    """Every line that begins with "####", "A:" or "Ans", found by these letters."""
    for letters in ("####", "A:", "Ans"):
        at = text.find(letters)
        while at >= 0:
            line = text.rfind("\n", max(0, at - 9), at) + 1 or (0 if at < 9 else -1)
            if line >= 0 and (form := _LINE_FORM.match(text, line)):
                yield form
            at = text.find(letters, at + len(letters))


def _behind_group(text: str, cue: re.Match) -> int:
    """Where the value begins: behind the group that the cue is set in, \\text{Final Answer: } 5."""
    if not text.startswith("}", cue.end()) or not _UPRIGHT.search(text, max(0, cue.start() - 40), cue.start()):
        return cue.end()
    return _GROUP_END.match(text, cue.end()).end()


def _is_of_the_story(text: str, cue: re.Match) -> bool:
    """Whether "answer" is a word of the story: "each right answer is worth 5 points"."""
    return (_STORY.search(text, max(0, cue.start() - 40), cue.start()) is not None
            or _WORTH.match(text, cue.end()) is not None)


def _is_heading(text: str, line: re.Match) -> bool:
    """Whether a "####" line is a heading and no answer: "#### Step 2", words with more text below them; or an
    "A:" line one of a list of options."""
    if line[1] is None:
        return text.startswith("A:", line.start()) and _OPTIONS.match(text, line.end()) is not None
    if _STEP.match(text, line.end()):
        return True
    end = text.find("\n", line.end())
    return _WORDS.match(text, line.end()) is not None and end >= 0 and bool(text[end:end + LONGEST].strip())


def stated_at(text: str, start: int) -> str:
    """What stands from `start` to the end of its sentence; of mathematics, the formulas joined by "and"."""
    if text.startswith("\\begin{", start) and (display := _DISPLAY.match(text, start)):
        return _last_row(display[2]) if display[1].removesuffix("*") in _ALIGNED else display[0]
    if text.startswith('"', start) and (quoted := _QUOTED.match(text, start)):
        return quoted[1].strip()
    opening = _OPENING.match(text, start)
    if opening and not _MONEY.match(text, opening.start(1)) and (end := _formulas_end(text, opening)):
        return text[opening.start(1):end].strip()
    window = text[start:start + LONGEST]
    end = _SENTENCE_END.search(window)
    value = (window[:end.start()] if end else window).strip(' \t*_"“”')
    return value.rstrip("} ") if '":' in text[max(0, start - 4):start] else value


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


def _last_row(inside: str) -> str:
    """The last row of a displayed equation."""
    rows = [row for row in inside.split("\\\\") if row.strip()]
    return rows[-1].replace("&", " ").strip(" \n.,") if rows else ""


def _closing(text: str, opening: re.Match) -> int:
    """Where the sign that closes this formula stands; an escaped dollar closes nothing, and one with a digit on
    both sides, "$12 + $3", is money."""
    close = text.find(_CLOSING[opening[1]], opening.end(), opening.end() + LONGEST)
    if close > 0 and opening[1] == "$" and _SUMS.match(text, opening.end(), close + 2):
        return -1
    while close > 0 and text[close - 1] == "\\" and text[close] == "$":
        close = text.find(_CLOSING[opening[1]], close + 1, opening.end() + LONGEST)
    return close


def _all_boxes(text: str) -> tuple[dict[int, str], int]:
    """Start and content of every \\boxed{...}, those side by side as one; and the start of one that the text ends
    in the middle of, -1 where there is none. A box whose brace was forgotten ends with its formula or line."""
    first = min((at for at in (text.find("boxed"), text.find("\\fbox")) if at >= 0), default=-1)
    if first < 0:
        return {}, -1
    closed, opened = _boxes(text, max(0, first - 6))
    cut = -1
    if opened is not None:
        start, inside = opened
        window = text[inside:inside + LONGEST]
        end = _UNCLOSED_END.search(window)
        value = window[:end.start()].strip(" .") if end else window.strip()
        if end and value.count("{") == value.count("}"):
            closed.append((start, inside + end.start(), value))
        elif not end:
            cut = start
    joined = dict(_joined(text, closed))
    return (joined | {cut: value}, cut) if cut >= 0 else (joined, cut)


def _boxes(text: str, first: int) -> tuple[list[tuple[int, int, str]], tuple[int, int] | None]:
    """(start, end, content) of every closed \\boxed{...}, in one pass over the braces from the first box on; and
    where the last one that is not closed starts, and its content."""
    opened: list[tuple[int, int]] = []
    closed = []
    for brace in _BRACE.finditer(text, first):
        if brace[0] == "}":
            if opened:
                start, inside = opened.pop()
                if start >= 0 and brace.start() - inside <= LONGEST:
                    closed.append((start, brace.end(), text[inside:brace.start()].strip()))
        elif brace[0][-1] == "{" and brace[0] != "\\{":
            opened.append((brace.start() if len(brace[0]) > 1 else -1, brace.end()))
    if "\\boxed{" not in text:
        closed += [(bare.start(), bare.end(), bare[1]) for bare in _BARE_BOX.finditer(text, first)]
    return closed, next((box for box in reversed(opened) if box[0] >= 0), None)


def _is_further_part(text: str, last: int, start: int, count: int) -> bool:
    """Whether a box goes on with the list of those before it: right behind the last one, as the next of lettered
    or numbered parts, or as the value of another unknown in the same sentence."""
    if start - last <= 60 and (joint := _JOINT.match(text, last, start)) is not None and joint.end() == start:
        return True
    between = text[last:start] if start - last <= MOST_BETWEEN else ""
    part = _PART_MARK.search(between) if _IN_PART_MARK.search(between) else None
    if part and next(filter(None, part.groups())).lower() in (
            *"abcdefgh"[count:count + 1], *_ROMAN[count - 1:count], str(count + 1)):
        return True
    return (between.rstrip(" $\\")[-1:] == "=" and _UNKNOWN.search(between) is not None
            and not _SENTENCE_END.search(between.lstrip("$. \n)\\"))
            and _UNKNOWN.search(text, max(0, last - 200), text.rfind("boxed", 0, last) - 1) is not None)


def _joined(text: str, boxes: list[tuple[int, int, str]]) -> Iterator[tuple[int, str]]:
    """The boxes, those side by side as one list: \\boxed{1} and \\boxed{2}."""
    boxes.sort()
    row: list[str] = []
    first = last = -1
    for start, end, value in boxes[-MOST:]:
        if not value or start < last:  # empty, or inside the one before
            continue
        if not row or not _is_further_part(text, last, start, len(row)):
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
