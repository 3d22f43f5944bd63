"""Endings and formulas of the kinds of bench/wide_seen.py, written later, with a look at neither of its halves.

Of each kind every second template may be looked at ("later seen"); of the others only rates are read ("later
kept"). Fields are those of bench/wide.py; every row is (text, gold answer, task, whether it is right).
"""

_ALL: dict[str, tuple[tuple[str, str, str, bool], ...]] = {
    "purpose clauses": (
        ("{work}\nHe has to mow {a} lawns to afford the phone that sells for ${b}.", "{a}", "gsm8k", True),
        ("{name} must therefore save for {a} weeks before {he} can buy the ${b} tent.", "{a}", "gsm8k", True),
        ("It takes {a} trips to carry all {b} bricks up the hill.", "{a}", "gsm8k", True),
        ("So {he} will need {a} more stamps in order to fill an album of {b} stamps.", "{a}", "gsm8k", True),
        ("That means {a} buses are required to transport the {b} pupils.", "{a}", "gsm8k", True),
        ("{name} has to drive at {a} km/h if {he} wants to arrive within {c} hours.", "{a}", "gsm8k", True),
        ("Hence {a} tiles are enough for covering a floor of {b} square feet.", "{a}", "gsm8k", True),
        ("{name} needs {a} coins to reach the goal of {b} coins.", "{b}", "gsm8k", False)),
    "float golds": (
        ("The answer is \\frac{{{n}}}{{{d}}}.", "{quotient}", "math", True),
        ("Thus x = {n}/{d}.", "{quotient}", "math", True),
        ("The answer is \\frac{{{n}}}{{{d}}}.", "{other_quotient}", "math", False),
        ("$\\boxed{{\\tfrac{{{n}}}{{{d}}}}}$", "{quotient}", "math", True)),
    "lines behind the cue": (
        ("The answer is:\n{a} * {c} = {p}\n{p} + {b} = {s}", "{s}", "gsm8k", True),
        ("Final answer:\n- first part {a}\n- second part {b}\n- total: {a} + {b} = {sum}", "{sum}", "gsm8k", True),
        ("Answer:\n1) {a} x {c} = {p} dollars\n2) {p} + {b} = {s} dollars", "{s}", "gsm8k", True),
        ("The answer is\n\n${a} + {b}$\n$= {sum}$", "{sum}", "math", True),
        ("Answer: {a} + {b}\n= {sum}", "{sum}", "gsm8k", True),
        ("The answer is {a} + {b} =\n{sum}", "{sum}", "gsm8k", True)),
    "trailing prose": (
        ("{work}\n{sum} is how many she has when the week is over.", "{sum}", "gsm8k", True),
        ("This leaves the baker with {sum} rolls for the {c} remaining customers.", "{sum}", "gsm8k", True),
        ("In the end, out of {b} seats, {a} stay empty.", "{a}", "gsm8k", True),
        ("A total of {sum} guests come, {a} of whom are children.", "{sum}", "gsm8k", True),
        ("On each of the {c} days, {name} reads {a} pages.", "{a}", "gsm8k", True),
        ("{name} ends up paying ${sum} for the {c} shirts.", "{sum}", "gsm8k", True)),
    "equations for a number": (
        ("The answer is $y^2 = {a}$.", "{a}", "math", True),
        ("The answer is $y = {a}$.", "{a}", "math", True),
        ("The answer is $|x - y| = {a}$.", "{a}", "math", True),
        ("$\\boxed{{f(2) = {a}}}$", "{a}", "math", True),
        ("$\\boxed{{AB = {a}}}$", "{a}", "math", True),
        ("The answer is $\\angle ABC = {a}^\\circ$.", "{a}", "math", True)),
    "rounding": (
        ("{name} would need {below} boxes, so {he} has to order {a} boxes.", "{a}", "gsm8k", True),
        ("The answer is {below}, or {a} when rounded up.", "{a}", "gsm8k", True),
        ("The answer is {below}, which we round up to {a}.", "{a}", "gsm8k", True),
        ("That is {below} minutes, that is about {a} minutes.", "{a}", "gsm8k", True)),
    "answer in the story": (
        ("An unanswered question costs {c} points, and {he} ends with {a} points.",
         "{a}", "gsm8k", True),
        ("Each wrong answer is minus {c}. So {he} scores {a}.", "{a}", "gsm8k", True),
        ("There are {b} possible answers to each of the {c} riddles, so {a} guesses remain.",
         "{a}", "gsm8k", True),
        ("For a correct answer one gets {c} points. In total that makes {a} points.", "{a}", "gsm8k", True)),
    "ordinals": (
        ("The answer is the {th} page.", "{a}", "gsm8k", True),
        ("It happens on the {th} day.", "{a}", "gsm8k", True),
        ("He stands in {th} place.", "{a}", "gsm8k", True),
        ("The answer is the {th}.", "{b}", "gsm8k", False)),
    "nothing": (
        ("{work}\nAfter that there are no pears left in the basket.", "0", "gsm8k", True),
        ("So {name} cannot afford any of the {c} books.", "0", "gsm8k", True),
        ("The answer is none.", "0", "gsm8k", True),
        ("Therefore nobody is left in the room.", "0", "gsm8k", True),
        ("So {he} does not have any money left.", "0", "gsm8k", True),
        ("The answer is: zero.", "0", "gsm8k", True)),
    "denials": (
        ("The answer is {a}. No, wait, I forgot one: the answer is {sum}.", "{sum}", "gsm8k", True),
        ("The answer is not {a} but {b}.", "{b}", "gsm8k", True),
        ("The answer is {a}.\nHmm, that is wrong. It must be {b}.", "{b}", "gsm8k", True),
        ("The answer isn't {a}.", "{a}", "gsm8k", False)),
    "labels in formulas": (
        ("$\\textbf{{Answer: }} {a}$", "{a}", "math", True),
        ("$$\\text{{The final answer is }} {a}.$$", "{a}", "math", True),
        ("\\[\\mathrm{{Answer:}}\\ \\frac{{{n}}}{{{d}}}\\]", "\\frac{{{n}}}{{{d}}}", "math", True),
        ("$\\text{{Total}} = {sum}$", "{sum}", "math", True)),
    "named things": (
        ("The area of $\\triangle PQR$ is ${a}$.", "{a}", "math", True),
        ("So $PQRSTU$ has area ${a}$.", "{a}", "math", True),
        ("Hence the value of $m$ is ${a}$.", "{a}", "math", True),
        ("Therefore $\\overline{{DE}}$ has length ${a}$.", "{a}", "math", True)),
    "money": (
        ("The answer is {c}.{a}0 €.", "{c}.{a}", "gsm8k", True),
        ("It costs USD {b} altogether.", "{b}", "gsm8k", True),
        ("{name} pays {b} dollars and 50 cents.", "{b}.5", "gsm8k", True),
        ("The answer is £{b}.00", "{b}", "gsm8k", True),
        ("Das kostet {comma} €.", "{euro}", "gsm8k", True),
        ("The answer is {b} cents.", "{b}", "gsm8k", True)),
    "degrees": (
        ("$\\boxed{{{a}^{{\\circ}}}}$", "{a}", "math", True),
        ("The angle is {a} degrees.", "{a}^\\circ", "math", True),
        ("$\\boxed{{-{a}^\\circ\\text{{C}}}}$", "-{a}", "math", True),
        ("The answer is {a}°F.", "{a}", "math", True)),
    "names and tuples": (
        ("The answer is $m={a}$, $n={b}$.", "({a},{b})", "math", True),
        ("$\\boxed{{a={a}, b={b}}}$", "({a}, {b})", "math", True),
        ("The answer is $(x, y) = ({a}, {b})$.", "({a},{b})", "math", True),
        ("The answer is $m={b}$, $n={a}$.", "({a},{b})", "math", False)),
    "percent": (
        ("The answer is 50\\%.", "\\frac{{1}}{{2}}", "math", True),
        ("The probability is 12.5%.", "1/8", "math", True),
        ("So {a} percent of them stay.", "{a}", "gsm8k", True),
        ("The answer is {a}%.", "{b}", "math", False)),
    "words with a point": (
        ("The answer is seven.", "7", "gsm8k", True),
        ("So there are twenty-four.", "24", "gsm8k", True),
        ("{name} sees two hundred and six.", "206", "gsm8k", True),
        ("The answer is a dozen.", "12", "gsm8k", True)),
    "codes and names": (
        ("The answer is XK{c}-{b}.", "{b}", "gsm8k", False),
        ("The password is Q{a}ZT.", "{a}", "gsm8k", False),
        ("It is flight LH{b}.", "{b}", "gsm8k", False),
        ("The answer is room B{a}.", "{a}", "gsm8k", False),
        ("\\boxed{{H2O}}", "2", "math", False),
        ("The answer is the A380.", "380", "gsm8k", False),
        ("The answer is Henry the Eighth.", "8", "gsm8k", False),
        ("The answer is C{a}D.", "{a}", "gsm8k", False),
        ("The answer is 4x{a}y.", "{a}", "math", False),
        ("The answer is www{a}.com", "{a}", "gsm8k", False),
        ("It is written in ISBN {b}-{a}-X.", "{b}", "gsm8k", False),
        ("The answer is R2D2.", "2", "gsm8k", False)),
}

_LINES: tuple[tuple[str, bool | None], ...] = (
    ("So 1/20 = 1/60 + 1/dx.", None), ("- {a} + {b} = {sum}", None), ("Total - {a} + {b} = {sum}", None),
    ("The pie is 7\\frac{{250}}{{1000}} = 7.25 units.", True), ("We get {a} x {c} = {p}.", True),
    ("* {a} * {c} = {p} + 1", False), ("{a} + {b} = {sum} apples", True), ("c{a} = 2 * {a}", None),
    ("{a} plus {b} equals {sum}, so {a} + {b} = {sum}1", False), ("5! = 120", None))


class Later:
    """A half, as a module of one is."""

    def __init__(self, first: int) -> None:
        self.KINDS = {kind: rows[first::2] for kind, rows in _ALL.items()}
        self.EQUATION_LINES = _LINES[first::2]


SEEN, KEPT = Later(0), Later(1)
