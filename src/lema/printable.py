"""Values of models and files on a terminal line.

One design decision: nothing that a model or a file says reaches the terminal as it is: what is not printable is
escaped, so that no text can move the cursor or hide what stands beside it.
"""


def short(value: str | None, most: int = 60) -> str:
    """A value as one printable line of at most `most` characters; "–" for None."""
    if value is None:
        return "–"
    text = value if value.isprintable() else repr(value)[1:-1]
    return text if len(text) <= most else text[:most - 1] + "…"
