"""The half of bench/wide.py that rules are written with: kinds of endings and formulas in words of our own.

One design decision: rows of a kind are (text, gold, task, label) with fields in braces, as in wide_kept; what is
found wrong here is mended as a kind, and the other half says whether it was.
"""

Row = tuple[str, str, str, bool]


def told(texts: tuple[str, ...], right: str = "{a}", wrong: str = "{b}", task: str = "gsm8k") -> list[Row]:
    """Each text beside its gold answer, and beside another number of it."""
    return [(text, gold, task, gold == right) for text in texts for gold in (right, wrong)]


PURPOSE = told((
    "{work}\n{name} needs {a} days to buy the bike that costs ${b}.",
    "{work}\nSo {he} has to sell {a} cups of lemonade to earn the ${b} {he} needs.",
    "{work}\nThat makes {a} trips to carry all {b} bricks.",
    "{work}\nTherefore {name} can buy {a} of the books which cost {b} cents each.",
    "{work}\nIt will be {a} weeks before {name} reaches {b} followers.",
    "{work}\nHe should bake {a} trays so he has {b} rolls.",
    "{work}\n{name} will have to wait {a} more minutes, as the trip takes {b} minutes.",
    "{work}\nThe {b} students fit into {a} buses.",
    "{work}\nFor {b} guests {name} needs {a} bottles.",
    "{work}\nTo reach {b} points, {name} has to win {a} games.",
    "{work}\nTherefore, in order to save ${b}, {name} needs {a} weeks.",
    "{work}\nEach of the {b} boys receives {a} marbles.",
    "{work}\nThere are {a} pages left of the book with {b} pages.",
    "{work}\n{name} pays ${a} per month for the phone worth ${b}.",
    "{work}\nWhen all {b} seats are taken, {a} people have to stand.",
    "{work}\nSince he has {b} stamps, he can fill {a} pages.",
    "{work}\nThe train runs {a} miles an hour for {b} hours."))

FLOATS = [row for text, task in (
    ("The final answer is $\\frac{{{n}}}{{{d}}}$.", "math"), ("The answer is {n}/{d} hours.", "gsm8k"),
    ("\\boxed{{\\frac{{{n}}}{{{d}}}}}", "math"), ("{work}\nSo each gets {n}/{d} pizzas.", "gsm8k"))
    for row in told((text,), "{quotient}", "{other_quotient}", task)]

LINES = [row for text, wrong in (
    ("The answer is\n{a} x {c} = {p}\n{p} + {b} = {s}", "{p}"), ("Answer:\n{a} * {c} = {p}, {p} + {b} = {s}",
    "{p}"),
    ("Therefore, the answer is 1) {a} * {c} = {p} 2) {p} + {b} = {s}.", "1"), ("The answer is 1) ${s}.", "1"),
    ("The answer is: ${p} + ${b} = ${s}", "{p}"), ("The answer is\n\n{p} + {b} =\n\n{s}", "{p}"),
    ("The answer is as follows:\n\n{a} rows of {c} seats make {p} seats.\nWith the {b} others there are {s} "
    "seats.", "{p}"),
    ("Answer: {name} has {a} * {c} = {p} nuts at first.\n{he} finds {b} more, so {p} + {b} = {s}.", "{p}"),
    ("The answer is a) {s}", "{p}"))
    for row in told((text,), "{s}", wrong)]

TRAILING = told((
    "{work}\nTherefore {name} has {a} eggs left over. This is the number after the {b} broken ones were thrown "
    "away.",
    "{work}\nSo {he} walks {a} miles.\n\nNote that {b} miles were by bus.",
    "{work}\nThe total is {a} coins.\n\nLet me know if you want to see how the {b} coins were counted!",
    "The answer is {a}. We divided {b} by {c} to get this.",
    "{work}\nHence the answer is {a}, given that there are {b} of them.",
    "{work}\nSo there are {a} ducks. Here we used that {b} ducks flew away.",
    "{work}\nThat is {a} dollars in total. I calculated this by taking {b} off."))

EQUATIONS = [
    *(row for left in ("x^3", "|r-s|", "ab + bc + ca", "a^2 + b^2", "xyz", "\\frac{{x}}{{y}}", "f(2)", "\\cos^2 x",
    "|a|",
                       "x^2y^3", "\\sqrt{{x}}", "m - n", "AB \\cdot CD", "\\angle ABC", "P(-1)", "\\log_2 x",
                       "x + y + z")
      for row in told((f"\\boxed{{{{{left} = {{a}}}}}}", f"Thus ${left} = {{a}}$."), task="math")),
    ("{a}", "2x + z = {a}", "math", False), ("\\boxed{{2x + z = {a}}}", "{a}", "math", True),
    ("\\boxed{{a^2 + b = 0}}", "0", "math", False),
    ("\\boxed{{5n = {a}}}", "{a}", "math", False), ("{a}", "x^3 = {a}", "math", True),
    ("{a}", "|r-s| = {a}", "math", True), ("0", "x^2 + 2x = 0", "math", False), ("\\boxed{{x + 1 = {a}}}", "{a}",
    "math", False)]

BOXES = [
    ("(a) We get \\boxed{{{a}}} by counting.\n(b) Here it is \\boxed{{{b}}}.", "{a}, {b}", "math", True),
    ("a) \\boxed{{{a}}}\nb) \\boxed{{{b}}}\nc) \\boxed{{{c}}}", "{a}, {b}, {c}", "math", True),
    ("Part (a): \\boxed{{{a}}}. Part (b): we add and get \\boxed{{{b}}}.", "{a}, {b}", "math", True),
    ("So $x = \\boxed{{{a}}}$, and with this the second unknown is $y = \\boxed{{{b}}}$.", "{a}, {b}", "math",
    True),
    ("The first try \\boxed{{{a}}} fails. The sum is \\boxed{{{b}}}.", "{b}", "math", True),
    ("One side is \\boxed{{{a}}}.\n\nThe area is \\boxed{{{b}}}.", "{b}", "math", True),
    ("(a) We get \\boxed{{{a}}}.\n(b) Here it is \\boxed{{{b}}}.", "{c}, {b}", "math", False)]

ROUNDS = told((
    "{work}\nThe answer is {below}, which rounds to {a}.",
    "{work}\nIt is {below}, which is about {a} when rounded.",
    "{work}\nThe answer is {below}, rounded up to {a}.",
    "{work}\nThat gives {below}, so rounding up {he} needs {a} cans.",
    "{work}\nThe answer is {below} (rounded to {a})."), wrong="{c}")

STORY = told((
    "Each correct answer gives {b} points.\nSo {name} gets {a} points in all.",
    "If every answer is worth {b} points, {name} reaches {a} points.",
    "For each wrong answer = {b} points off, {he} ends with {a} points.",
    "{name}'s answers were {b} letters long, so all in all {he} wrote {a} letters.",
    "The number of answers is {b}. Half of them are right, that is {a} of them."))

ORDINALS = [
    *told(("The answer is the {th} day.", "{work}\nSo it is on the {th} page.", "The answer is {th} place.",
           "{work}\nOn the {b}th day {name} has {a} coins.", "{work}\n{name} saves {a} coins in the {b}th month.",
           "{work}\nSo his {b}th jump was {a} inches.")),
    ("The answer is the eleventh floor.", "11", "gsm8k", True), ("\\boxed{{{a}^{{th}}}}", "{a}", "math", True)]

NOTHING = told((
    "{work}\nSo the blanket can't cover any.", "{work}\nTherefore {name} has none left.",
    "{work}\nThere are no apples left.",
    "{work}\nHence {he} doesn't need any more.", "{work}\nSo {he} has nothing left.", "The answer is no apples.",
    "{work}\nThus {name} did not sell any tickets."), "0")

DENIALS = told((
    "The answer is {b}. That is wrong. The answer is {a}.",
    "The answer is {b}. But this can't be right, so it is {a}.",
    "{work}\nThe answer isn't {b} but {a}.", "The answer is {a} and not {b}.", "The answer is {a}, not {b}.",
    "The answer is {b}, no, {a}.", "The answer is {b}. Correction: it is {a}."))

LABELS = told((
    "\\text{{Final Answer: }} {a}", "\\boxed{{\\text{{Final Answer: }} {a}}}", "$\\text{{The answer is }} {a}.$",
    "\\boxed{{\\text{{Answer}} = {a}}}", "\\[\\textbf{{Final Answer:}}\\quad {a}\\]",
    "\\boxed{{\\text{{Area}} = {a}}}"), task="math")

NAMED = [(text, "{a}", "math", True) for text in (
    "The volume of $ABCDEFGH$ is {a}.", "Hence the length of $AB$ is {a}.",
    "So the area of $\\triangle ABC$ is {a}.",
    "Thus the value of $x$ is {a}.", "So $N$ equals {a}.", "Therefore the number of $n$ is {a}.",
    "The perimeter of $WXYZ$ is ${a}$ units.", "So $\\angle A$ is {a} degrees.")]

BRACES = [
    ("Thus the sum is $\\sum_{{k=1}}^{{{c}}} k$.", "\\sum_{{k=1}}^{{{c}}} k", "math", True),
    ("Thus the sum is $\\sum_{{k=1}}^{{{c}}} k$.", "{triangle}", "math", True),
    ("Thus the sum is $\\sum_{{k=1}}^{{{c}}} k$.", "{c}", "math", False),
    ("So $S = \\sum_{{n=1}}^{{{c}}} n = {triangle}$.", "{triangle}", "math", True),
    ("The answer is $\\prod_{{k=1}}^{{{c}}} k$.", "\\prod_{{k=1}}^{{{c}}} k", "math", True),
    ("So the limit is $\\lim_{{x=2}} = {a}$.", "{a}", "math", True)]

MONEY = told((
    "The answer is {comma} $", "So it costs {comma} $.", "Elle paie {comma} €.", "The answer is {comma} euros.",
    "The answer is {euro}$."), "{euro}")

DEGREES = told((
    "-{a}^\\circ C", "\\boxed{{-{a}^\\circ C}}", "\\boxed{{-{a}^{{\\circ}}\\mathrm{{F}}}}",
    "The answer is -{a}°C.",
    "$-{a}^\\circ$ C", "-{a}^\\circ", "\\boxed{{-{a}\\degree C}}"), "-{a}", "{a}", "math")

TUPLES = [
    ("p={a},q={b}", "({a},{b})", "math", True), ("\\boxed{{p = {a}, q = {b}}}", "({a}, {b})", "math", True),
    ("p={b},q={a}", "({a},{b})", "math", False), ("\\boxed{{x={a}, y={b}, z={c}}}", "({a},{b},{c})", "math", True),
    ("({a},{b})", "p={a},q={b}", "math", True), ("({b},{a})", "p={a},q={b}", "math", False),
    ("y={b}, x={a}", "({a},{b})", "math", True), ("$x={a}$, $y={b}$", "({a},{b})", "math", True)]

PERCENT = [
    ("\\boxed{{25\\%}}", "\\frac{{1}}{{4}}", "math", True), ("25 %", "1/4", "math", True), ("The answer is 50%.",
    "1/2", "gsm8k", True),
    ("\\boxed{{\\frac{{1}}{{4}}}}", "25\\%", "math", True), ("\\boxed{{35\\%}}", "\\frac{{1}}{{4}}", "math",
    False),
    ("The answer is 1/4.", "25%", "gsm8k", True), ("37.5\\%", "\\frac{{3}}{{8}}", "math", True)]

WORDS = [
    ("The answer is three point five.", "3.5", "gsm8k", True), ("The answer is three point five.", "3", "gsm8k",
    False),
    ("The answer is three point five.", "5", "gsm8k", False), ("\\text{{two point seven five}}", "2.75", "math",
    True),
    ("The answer is twelve point five dollars.", "12.5", "gsm8k", True), ("The answer is point five.", "0.5",
    "gsm8k", True)]

CODES = [
    (form.replace("@", code), gold, task, False)
    for code, golds in (("AZYUK2A", ("2",)), ("XK5", ("5",)), ("5GHT", ("5",)), ("AB-12", ("12", "-12")), ("C3PO",
    ("3",)),
                        ("v2.0", ("2", "0")), ("10.0.0.7", ("10", "7")), ("F16", ("16",)), ("A1B2", ("1", "2")),
                        ("4H", ("4",)),
                        ("MI6", ("6",)), ("617-5521", ("617", "5521")), ("LK9/2", ("9", "2", "4.5")))
    for gold in golds
    for form in ("The answer is @.", "The password is @.", "\\boxed{{@}}", "#### @", "A: @", "So it reads @.")
    for task in ("gsm8k", "math")]

KINDS: dict[str, list[Row]] = {
    "purpose clauses": PURPOSE, "float golds": FLOATS, "lines behind the cue": LINES, "trailing prose": TRAILING,
    "equations for a number": EQUATIONS, "parts in boxes": BOXES, "rounding": ROUNDS, "answer in the story": STORY,
    "ordinals": ORDINALS, "nothing": NOTHING, "denials": DENIALS, "labels in formulas": LABELS,
    "named things": NAMED,
    "sums in braces": BRACES, "money": MONEY, "degrees": DEGREES, "names and tuples": TUPLES, "percent": PERCENT,
    "words with a point": WORDS, "codes": CODES}

EQUATION_LINES: list[tuple[str, bool | None]] = [
    ("1/{c} = 1/{b} + 1/di", None), ("1/{a} = 1/x + 1/{b}", None), ("{a} = {b} + 2/ab", None),
    ("1/{a} + 1/di = 1/{b}", None),
    ("- {a} + {b} = {sum}", True), ("-{a} + {b} = {sum}", None), ("− {a} + {b} = {sum}", True),
    ("Sum - {a} + {b} = {sum}", True),
    ("Total: – {a} * {c} = {product}", True), ("{b}\\frac{{975}}{{1000}} = {b}.975", None),
    ("{a}\\frac{{1}}{{2}} = {a}.5", None),
    ("{a} \\frac{{1}}{{2}} + {b} = {mixed_sum}", True), ("{a} + {b} = 1{sum}", False), ("- {a} + {b} = 1{sum}",
    False)]
"""(line, whether it is true; None: it must not be called false)."""
