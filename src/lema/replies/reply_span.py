"""Which part of a text is the model's own reply: not its thoughts before it, and no turn or question after it.

One design decision: the reply is cut out before anything is read, by a few fixed marks that are found with plain
searches; a thought that never ends has no reply, and a mark at the very beginning of a text ends nothing.
"""

import re

LONGEST_TEXT = 200_000  # characters from the end back that are read
_THOUGHTS = ("</think>", "</thinking>", "</thought>", "</reasoning>", "<|end_of_thought|>",
             "<|channel|>final<|message|>")
_THINKS = ("<think>", "<thinking>", "<thought>", "<reasoning>", "<|begin_of_thought|>")
_MARK = re.compile(r"<[a-z/|｜]")
"""How every mark begins, [INST] apart: neither a calculator's "<<" nor most of mathematics' "<"."""
_TURN = re.compile(
    r"<\|(?:im_start|im_end|endoftext|eot_id|end_of_text|start_header_id|user|end|return)\|>|</s>|\[INST\]"
    r"|<(?:end|start)_of_turn>|<｜[^｜\n]{1,30}｜>")
_QUESTION = re.compile(
    r"[ \t#*>]{0,8}(?:(?:(?:next|new)[ \t]{1,3})?(?:question|problem|exercise|instruction|q)[ \t]{0,3}[0-9]{0,4}"
    r"[ \t*]{0,4}:|(?:human|user)[ \t*]{0,3}:)", re.I)
_BEFORE_COLON = frozenset("nmeqrNMEQR \t*0123456789")  # what can stand before the colon of such a line
_OPENS_LINE = 40  # characters from the beginning of a line in which "Question:" must end
_PREFACE = 200  # characters that may stand before a question that the model only repeats
_SAYS = re.compile(r"[0-9]|nswer|NSWER|boxed|\([A-Z]\)")


def reply_span(text: str) -> str:
    """The text from the end of its thoughts up to the next "Question:" that a model goes on to invent; one at its
    very start, or behind a preface that says nothing yet, stays. Of a text that is longer than any answer should
    be, only the end."""
    text = text[-LONGEST_TEXT:]
    end = len(text)
    if may_be_cut(text):
        text = _reply(text)
        end = next((turn.start() for turn in _TURN.finditer(text) if text[:turn.start()].strip()), len(text))
    at = text.find(":", 0, end)
    while at >= 0:
        if at and text[at - 1] in _BEFORE_COLON:
            opens = text.rfind("\n", max(0, at - _OPENS_LINE), at) + 1 or (0 if at < _OPENS_LINE else -1)
            if opens >= 0 and _QUESTION.match(text, opens) and _has_said(text[:opens]):
                return text[:opens]
        at = text.find(":", at + 1, end)
    return text[:end]


def opens_question(line: str) -> bool:
    """Whether the line opens another question or another turn."""
    return _QUESTION.match(line) is not None


def is_cut(text: str) -> bool:
    """Whether the text ends in the middle of its thoughts, so that there is no reply."""
    if "<" not in text or not _MARK.search(text):
        return False
    text = text[-LONGEST_TEXT:]
    opened = max(text.rfind(mark) for mark in _THINKS)
    return opened >= 0 and max(text.rfind(mark) for mark in _THOUGHTS) < opened


def may_be_cut(text: str) -> bool:
    """Whether a mark of this file may stand in the text, apart from a line with a colon."""
    return ("<" in text and _MARK.search(text) is not None) or ("[" in text and "[INST]" in text)


def _reply(text: str) -> str:
    """What follows the thoughts; the thoughts where nothing does."""
    starts = [at + len(mark) for mark in _THOUGHTS if (at := text.rfind(mark)) >= 0]
    if not starts:
        return text
    reply = text[max(starts):]
    return reply if reply.strip() else text


def _has_said(before: str) -> bool:
    """Whether what stands before a question is more than a preface."""
    return bool(before.strip()) and (len(before) > _PREFACE or _SAYS.search(before) is not None)
