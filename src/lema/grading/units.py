"""Units of measurement as readers of quantities know them: which word is one, of what kind, and how large.

One design decision: every list of unit words stands here, each named by the question that it answers. They are not
one list, because a word may be a unit behind a number ("5 men") where it is none right at its digits ("5men").
"""

SIZES = {
    **dict.fromkeys(("s", "sec", "second"), ("time", 1)), **dict.fromkeys(("min", "minute"), ("time", 60)),
    **dict.fromkeys(("h", "hr", "hour"), ("time", 3600)), "day": ("time", 86400), "week": ("time", 604800),
    "month": ("calendar", 1), **dict.fromkeys(("year", "yr"), ("calendar", 12)),
    **dict.fromkeys(("in", "inch", "inche"), ("feet", 1)), **dict.fromkeys(("ft", "foot", "feet"), ("feet", 12)),
    **dict.fromkeys(("yd", "yard"), ("feet", 36)), **dict.fromkeys(("mi", "mile"), ("feet", 63360)),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), ("metres", 1)),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), ("metres", 10)),
    **dict.fromkeys(("m", "meter", "metre"), ("metres", 1000)),
    **dict.fromkeys(("km", "kilometer", "kilometre"), ("metres", 1000000)),
    **dict.fromkeys(("oz", "ounce"), ("pounds", 1)), **dict.fromkeys(("lb", "pound"), ("pounds", 16)),
    **dict.fromkeys(("g", "gram"), ("grams", 1)), **dict.fromkeys(("kg", "kilogram"), ("grams", 1000)),
    **dict.fromkeys(("cent", "penny", "pennie"), ("money", 1)), "dollar": ("money", 100),
    "dozen": ("pieces", 12), "quart": ("gallons", 4), "pint": ("gallons", 2), "cup": ("gallons", 1),
    "gallon": ("gallons", 16)}
"""Unit without its "s": (kind, how many of the smallest unit of that kind); what they add up to is exact."""

FAMILIES = tuple(map(frozenset, (
    ("second", "sec", "minute", "min", "hour", "hr", "day", "week", "month", "year", "decade", "century"),
    ("inche", "inch", "in", "foot", "feet", "ft", "yard", "mile", "mm", "cm", "m", "meter", "metre", "km",
     "kilometer", "kilometre", "centimeter", "centimetre"),
    ("ounce", "oz", "pound", "lb", "gram", "g", "kg", "kilogram", "ton", "mg"),
    ("cup", "pint", "quart", "gallon", "ml", "liter", "litre", "l", "tablespoon", "teaspoon", "milliliter"),
    ("$", "cent", "dime", "nickel", "quarter", "penny", "pennie", "dollar", "pence", "shilling"),
    ("dozen", "pair", "score", "piece", "egg"))))
"""Units between which an equation may convert, inexactly too: feet and metres, cups and litres."""

LETTERS = frozenset("mgshlL")
"""Single letters that may follow a number as its unit; any other letter is a variable."""

_SHORT = frozenset(("cm", "mm", "km", "kg", "mg", "ml", "lb", "oz", "ft", "in", "hr"))

OF_TWO_LETTERS = _SHORT | {"am", "pm", "tv", "cd", "of", "an", "my"}
"""Words of two letters that may follow a number; any other two letters are variables."""

GLUED = _SHORT | {"am", "pm", "lbs", "hrs", "min", "mins", "sec", "mph", "kph", "kwh", "cents", "usd"}
"""What may stand right behind a number without a space and still be its unit."""

IN_FORMULAS = _SHORT | {
    "mph", "kmh", "lbs", "yd", "mi", "mL", "hrs", "sec", "cup", "day", "gal", "sq", "cc", "deg", "rad", "men",
    "kW", "Hz"}
"""Words that are no product of variables within a formula."""


def size_of(word: str) -> tuple[str, int] | None:
    """(kind, how many of that kind's smallest unit) of a word that is a unit; None of any other."""
    word = word.lower()
    return SIZES.get(word) or SIZES.get(word.removesuffix("s"))


def singular(word: str) -> str:
    """The word without the "s" of its plural; short words keep theirs."""
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
