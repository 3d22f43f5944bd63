"""The half of bench/wide.py that nobody looks at while rules are written: only its rates are read.

One design decision: rows of a kind are (text, gold, task, label) with fields in braces, and no template stands in
wide_seen, so that a rule which fits the one half is measured by the other.
"""

Row = tuple[str, str, str, bool]

PURPOSE: list[Row] = [
    (text, "{" + field + "}", "gsm8k", field == "a")
    for text in (
        "{work}\nSo {name} has to work {a} weeks before {he} can afford the ${b} guitar.",
        "{work}\nTherefore {a} boxes are required in order to hold all {b} marbles.",
        "{work}\nThat means {name} should sell {a} more tickets so that the goal of {b} tickets is met.",
        "{work}\nHence {he} must save for {a} months to pay for the console, which is priced at ${b}.",
        "{work}\n{name} will need {a} buckets if the tank that holds {b} liters is to be filled.",
        "{work}\nThey can fill {a} bags that weigh {b} pounds each.",
        "{work}\n{name} has to drive {a} more miles to reach the town {b} miles away.",
        "{work}\nHe ran {a} laps around the {b}-meter track.",
        "{work}\nThe farmer needs {a} crates, since each crate takes {b} melons.",
        "{work}\nEventually the {b} children get {a} sweets each.",
        "{work}\nWith {b} friends sharing it, each one gets {a} slices.",
        "{work}\nIt takes the pump {a} minutes to empty a pool holding {b} gallons.",
        "{work}\n{name} must skip lunch {a} times to be able to buy shoes worth ${b}.",
        "{work}\nAltogether {name} reads {a} pages, which leaves {he} ready for the test in {b} days.",
        "{work}\nThus, the remaining {b} tables seat {a} guests altogether.",
        "{work}\nIf {he} wants to lose {b} pounds, {name} has to swim {a} hours.",
        "{work}\nSo the {b} workers need {a} days.",
        "{work}\nTo feed {b} dogs, {name} buys {a} cans.",
    ) for field in ("a", "b")]

FLOATS: list[Row] = [
    (text, gold, task, label)
    for text, task in (
        ("So the ratio is \\boxed{{\\frac{{{n}}}{{{d}}}}}.", "math"), ("{work}\nThe answer is {n}/{d}.", "gsm8k"),
        ("Hence $x = \\dfrac{{{n}}}{{{d}}}$.", "math"), ("\\boxed{{{n}/{d}}}", "math"),
        ("The answer is $\\tfrac{{{n}}}{{{d}}}$ of the cake.", "math"))
    for gold, label in (("{quotient}", True), ("{other_quotient}", False))]

LINES: list[Row] = [
    (text, "{" + field + "}", "gsm8k", field == "s")
    for text, fields in (
        ("The answer is:\n{a} * {c} = {p}\n{p} + {b} = {s}", "sap"),
        ("Answer: First we multiply, {a} * {c} = {p}.\nThen we add {b}: {p} + {b} = {s}.", "sap"),
        ("Answer:\n1) {a} * {c} = {p} boxes\n2) {p} + {b} = {s} boxes", "spc"),
        ("The answer is found below:\nBoxes = {a} x {c} = {p}\nAll = {p} + {b} = {s}", "spa"),
        ("Therefore, the answer is\n\n{a} x {c} = ${p}\n${p} + ${b} = ${s}", "spa"),
        ("The answer: \n- {a} times {c} is {p}\n- plus {b} is {s}", "spa"),
        ("The answer is 1) ${s}", "s"), ("Therefore the answer is (2) {s}.", "s"),
        ("So the answer is: \n\nStep 1: {a} * {c} = {p}\nStep 2: {p} + {b} = {s}", "spa"),
        ("The answer (in numbers) is {a} * {c} + {b} = {p} + {b} = {s}.", "spa"),
    ) for field in fields]

TRAILING: list[Row] = [
    (text, "{" + field + "}", "gsm8k", field == "a")
    for text in (
        "In total there are {a} birds. We got this by subtracting {b} from {c}.",
        "{work}\nTherefore {he} has {a} left.\n\nTo check: {a} + {b} = {check}.",
        "{work}\nThus {name} bought {a} stamps. (Note that the {b} stamps of last year are not counted.)",
        "{work}\nSo there are {a} cows. I hope this helps, feel free to ask about the other {b} questions!",
        "{work}\n**Total: {a} pounds**\n\nThis assumes that all {b} people eat the same amount.",
        "{work}\nThe answer is {a}. This can also be seen by dividing {b} by {c}.",
        "{work}\nThe answer is {a}, assuming {b} days in that month.",
        "So {name} will pay {a} dollars. It is {b} dollars less than before.",
    ) for field in ("a", "b")]

EQUATIONS: list[Row] = [
    ("\\boxed{{y^5 = {a}}}", "{a}", "math", True), ("So we get $\\boxed{{|u - v| = {a}}}$.", "{a}", "math", True),
    ("Hence $\\sin^2 A + \\cos B = \\frac{{{n}}}{{{d}}}$.", "\\frac{{{n}}}{{{d}}}", "math", True),
    ("Therefore \\[\\boxed{{pqr = {a}}}\\]", "{a}", "math", True),
    ("\\boxed{{\\frac{{AB}}{{CD}} = {a}}}", "{a}", "math", True), ("\\boxed{{\\sqrt{{m}} = {a}}}", "{a}", "math",
    True),
    ("\\boxed{{u^2 + v^2 + w^2 = {a}}}", "{a}", "math", True), ("\\boxed{{f(g({c})) = {a}}}", "{a}", "math", True),
    ("\\boxed{{|z|^2 = {a}}}", "{a}", "math", True), ("\\boxed{{\\log_{{3}} t = {a}}}", "{a}", "math", True),
    ("\\boxed{{3s - 2t = {a}}}", "{a}", "math", True), ("\\boxed{{x^2 + 2y = 0}}", "0", "math", False),
    ("\\boxed{{y^5 = {a}}}", "{b}", "math", False), ("\\boxed{{|u - v| = {a}}}", "{c}", "math", False),
    ("\\boxed{{4k = {a}}}", "{a}", "math", False), ("{a}", "\\angle PQR = {a}^\\circ", "math", True),
    ("{a}", "a^3 + b^3 = {a}", "math", True), ("{a}", "x^2 - 5x = 0", "math", False)]

BOXES: list[Row] = [
    ("(a) The first length is \\boxed{{{a}}}.\n\n(b) The second length is \\boxed{{{b}}}.", "{a}, {b}", "math",
    True),
    ("**Part 1.** We get \\boxed{{{a}}}.\n**Part 2.** Likewise \\boxed{{{b}}}.", "{a}, {b}", "math", True),
    ("(i) \\boxed{{{a}}} because of the rule. (ii) \\boxed{{{b}}} by symmetry.", "{a}, {b}", "math", True),
    ("So $u = \\boxed{{{a}}}$ and, putting it back into the first line, $v = \\boxed{{{b}}}$.", "{a}, {b}", "math",
    True),
    ("First \\boxed{{{a}}} follows. No, that used the wrong sign. So it is \\boxed{{{b}}}.", "{b}", "math", True),
    ("As a step we find \\boxed{{{a}}} chairs.\n\nAll in all that makes \\boxed{{{b}}}.", "{b}", "math", True),
    ("(a) The first length is \\boxed{{{a}}}.\n\n(b) The second is \\boxed{{{b}}}.", "{b}, {c}", "math", False),
    ("(1) \\boxed{{{a}}} (2) \\boxed{{{b}}} (3) \\boxed{{{c}}}", "{a}, {b}, {c}", "math", True)]

ROUNDS: list[Row] = [
    (text, "{a}", "gsm8k", True) for text in (
        "{work}\nThe result is {below}, which we round up to {a}.",
        "{work}\nThe answer is {below}, or {a} when rounded to the nearest whole number.",
        "{work}\nThe answer is approximately {below} ≈ {a}.",
        "{work}\nThe answer is {below}, so {he} needs {a} buses.",
        "{work}\nThis comes to {below}; rounded up, {a} buses.",
        "{work}\nThe answer is {below}, which rounds up to {a}.",
        "{work}\nThat is {below} boxes. Since there are no parts of boxes, {name} needs {a} boxes.")]

STORY: list[Row] = [
    (text, "{" + field + "}", "gsm8k", field == "a")
    for text in (
        "Each right answer is worth {b} points.\nSo {name} has {a} points.",
        "The number of wrong answers was {b}, which makes a score of {a}.",
        "{name} knew that the answers are worth {b} points. In the end {he} had {a} points.",
        "Every answer = {b} points, hence in total {name} wins {a} points.",
        "An unanswered question costs {b} points. Therefore the score is {a}.",
        "If the first answer is {b} seconds late, then altogether {he} needs {a} seconds.",
        "The answers to the {b} riddles: {name} solved {a} of them in all.",
    ) for field in ("a", "b")]

ORDINALS: list[Row] = [
    ("{work}\nSo the party is on the {th} floor.", "{a}", "gsm8k", True), ("The answer is {th}.", "{a}", "gsm8k",
    True),
    ("{work}\nIn the {b}th year {name} saves {a} coins.", "{a}", "gsm8k", True),
    ("{work}\nIn the {b}th year {name} saves {a} coins.", "{b}", "gsm8k", False),
    ("{work}\nSo {name} has {a} coins after the {b}th week.", "{a}", "gsm8k", True),
    ("{work}\nSo {name} has {a} coins after the {b}th week.", "{b}", "gsm8k", False),
    ("The answer is the {th} house.", "{a}", "gsm8k", True), ("\\boxed{{{a}^{{\\text{{th}}}}}}", "{a}", "math",
    True),
    ("{work}\nThus he comes home on day {a}.", "{a}", "gsm8k", True), ("The answer is the twelfth.", "12", "gsm8k",
    True)]

NOTHING: list[Row] = [
    (text, gold, "gsm8k", gold == "0")
    for text in (
        "{work}\nSo {name} cannot buy any.", "{work}\nTherefore there are no cookies left over.",
        "{work}\nThus none remain.",
        "{work}\nHence {he} does not have any money left.", "{work}\nSo there is nothing left to pay.",
        "{work}\nThe answer is none.", "{work}\nThe answer is that {he} has no apples left.",
        "{work}\nTherefore, not a single one is left.", "{work}\nIn the end nobody is left on the bus.",
        "{work}\nThe answer is nothing.", "{work}\nSo no more lamps are needed.")
    for gold in ("0", "{b}")]

DENIALS: list[Row] = [
    (text, gold, "gsm8k", gold == "{a}")
    for text in (
        "The answer is {b}. Wait, that is not right. Adding again, it is {a}.",
        "The answer is not {b}. The answer is {a}.", "{work}\nThe answer is {a}, and not {b}.",
        "The answer is {b}? No, {name} has to give {c} away first, so the answer is {a}.",
        "The answer is {a} (it isn't {b}, as one may think).", "{work}\nThe answer is {a} rather than {b}.",
        "The answer would be {b} if it were a leap year. It is none, so {a}.")
    for gold in ("{a}", "{b}")]

LABELS: list[Row] = [
    (text, gold, "math", gold == "{a}")
    for text in (
        "\\boxed{{\\text{{Answer: }} {a}}}", "$\\textbf{{The answer is }} {a}$",
        "\\boxed{{\\mathrm{{Answer}} = {a}}}",
        "\\boxed{{\\text{{The final answer is }} {a} \\text{{ apples}}}}", "\\[\\text{{Result: }} {a}\\]",
        "\\boxed{{\\text{{Total}} = {a}}}", "$$\\text{{Answer:}}\\ {a}$$",
        "\\boxed{{\\textbf{{Answer}}: {a}\\text{{ cm}}}}")
    for gold in ("{a}", "{b}")]

NAMED: list[Row] = [
    (text, "{a}", "math", True) for text in (
        "Hence the area of the square $PQRS$ is {a}.", "So the length of $XY$ equals {a} cm.",
        "Therefore the volume of $PQRSTU$ is {a} cubic units.",
        "Thus the measure of $\\angle XYZ$ is {a} degrees.",
        "It follows that the largest such $n$ is {a}.", "We conclude that $\\triangle ABC$ has perimeter {a}.",
        "So $m$ must be ${a}$.", "Hence the number of ways to color $K_5$ is {a}.",
        "The sum of the digits of $N$ is therefore {a}.")]

BRACES: list[Row] = [
    ("So the value is $\\sum_{{j=1}}^{{{c}}} j$.", "\\sum_{{j=1}}^{{{c}}} j", "math", True),
    ("Thus the product is $\\prod_{{i=2}}^{{{c}}} i$.", "\\prod_{{i=2}}^{{{c}}} i", "math", True),
    ("Thus $S = \\sum_{{k=1}}^{{{c}}} k$.", "{triangle}", "math", True),
    ("So the value is $\\sum_{{j=1}}^{{{c}}} j$.", "{c}", "math", False),
    ("The answer is $\\sum_{{k=0}}^{{{c}}} k$.", "{triangle}", "math", True),
    ("Hence we obtain $x_{{n=3}} = {a}$.", "{a}", "math", True),
    ("\\boxed{{\\sum_{{n=1}}^{{{c}}} n}}", "{triangle}", "math", True),
    ("Thus $\\lim_{{x \\to 0}} f(x) = {a}$.", "{a}", "math", True)]

MONEY: list[Row] = [
    (text, gold, "gsm8k", gold == "{euro}")
    for text in (
        "Il reste {comma} $.", "Die Antwort ist {comma} €.", "La réponse est {comma} $",
        "{work}\nTherefore she pays {comma} €.",
        "The answer is {euro} $.", "So it costs US$ {euro}.", "The answer is {euro} dollars ($).")
    for gold in ("{euro}", "{b}")] + [("Il doit encore {spaced} €.", "{large}", "gsm8k", True)]

DEGREES: list[Row] = [
    (text, gold, "math", gold == "-{a}")
    for text in (
        "\\boxed{{-{a}^\\circ \\text{{C}}}}", "\\boxed{{-{a}^{{\\circ}} F}}", "The answer is -{a} °C.",
        "$-{a}\\,^\\circ\\mathrm{{C}}$",
        "-{a}° C", "\\boxed{{-{a}^\\circ}}", "\\boxed{{-{a}\\ ^\\circ C}}", "-{a} degrees Celsius")
    for gold in ("-{a}", "{a}", "-{b}")]

TUPLES: list[Row] = [
    ("\\boxed{{m = {a}, n = {b}}}", "({a}, {b})", "math", True), ("\\boxed{{m={b},\\ n={a}}}", "({a}, {b})",
    "math", False),
    ("$u={a}$ and $v={b}$", "({a},{b})", "math", True), ("\\boxed{{x = {a}; y = {b}; z = {c}}}", "({a}, {b}, {c})",
    "math", True),
    ("\\boxed{{({a}, {b})}}", "s={a}, t={b}", "math", True), ("\\boxed{{({b}, {a})}}", "s={a}, t={b}", "math",
    False),
    ("\\boxed{{(u, v) = ({a}, {b})}}", "({a}, {b})", "math", True),
    ("\\boxed{{b = {b}, a = {a}}}", "({a}, {b})", "math", True),
    ("\\boxed{{k={a} \\text{{ and }} l={b}}}", "({a},{b})", "math", True)]

PERCENT: list[Row] = [
    ("\\boxed{{20\\%}}", "\\frac{{1}}{{5}}", "math", True), ("The answer is 75 %.", "3/4", "math", True),
    ("\\boxed{{\\frac{{3}}{{5}}}}", "60\\%", "math", True), ("12.5 %", "\\frac{{1}}{{8}}", "math", True),
    ("The answer is 40 percent.", "2/5", "gsm8k", True), ("\\boxed{{20\\%}}", "\\frac{{1}}{{4}}", "math", False),
    ("The answer is 3/20.", "15%", "gsm8k", True), ("\\boxed{{150\\%}}", "\\frac{{3}}{{2}}", "math", True),
    ("33\\frac{{1}}{{3}}\\%", "\\frac{{1}}{{3}}", "math", True), ("The answer is 35 %.", "3/5", "gsm8k", False)]

WORDS: list[Row] = [
    ("The answer is six point two five.", "6.25", "gsm8k", True), ("\\boxed{{\\text{{nine point four}}}}", "9.4",
    "math", True),
    ("The answer is zero point seven miles.", "0.7", "gsm8k", True), ("four point oh two", "4.02", "math", True),
    ("The answer is six point two five.", "6", "gsm8k", False), ("The answer is six point two five.", "25",
    "gsm8k", False),
    ("The answer is twenty-one point eight liters.", "21.8", "gsm8k", True), ("minus two point one", "-2.1",
    "math", True),
    ("The answer is one point two million.", "1200000", "gsm8k", True)]

CODES: list[Row] = [
    (form.replace("@", code), gold, task, False)
    for code, golds in (("QX7RT", "7"), ("B52", "52"), ("9KLM", "9"), ("MK-47", ("47", "-47")), ("v3.2", ("3.2",
    "3", "2")),
                        ("K9", "9"), ("Z80", "80"), ("R2D2", "2"), ("7ZX8", ("7", "8")), ("AB12CD", "12"),
                        ("192.168.0.1", ("192.168", "1")),
                        ("555-0199", ("555", "199", "356")), ("3M", "3"), ("PN8X", "8"), ("H1N1", "1"),
                        ("2024-05-12", ("2024", "12", "2007")))
    for gold in ((golds,) if isinstance(golds, str) else golds)
    for form in ("The answer is @.", "So the code on the door is @.", "\\boxed{{\\text{{@}}}}", "#### @",
    "Answer: @")
    for task in ("gsm8k", "math")] + [
    (form.replace("@", code), code, "text", True)
    for code in ("QX7RT", "B52", "AB12CD", "K9") for form in ("The answer is @.", "#### @")]

KINDS: dict[str, list[Row]] = {
    "purpose clauses": PURPOSE, "float golds": FLOATS, "lines behind the cue": LINES, "trailing prose": TRAILING,
    "equations for a number": EQUATIONS, "parts in boxes": BOXES, "rounding": ROUNDS, "answer in the story": STORY,
    "ordinals": ORDINALS, "nothing": NOTHING, "denials": DENIALS, "labels in formulas": LABELS,
    "named things": NAMED,
    "sums in braces": BRACES, "money": MONEY, "degrees": DEGREES, "names and tuples": TUPLES, "percent": PERCENT,
    "words with a point": WORDS, "codes": CODES}

EQUATION_LINES: list[tuple[str, bool | None]] = [
    ("1/{c} = 1/{b} + 1/f", None), ("1/Rt = 1/{b} + 1/{c}", None), ("1/{a} + 1/xy = 1/{b}", None),
    ("2 = {b} + 3/dt", None), ("- {a} + {b} = {sum}", True), ("– {a} + {b} = {sum}", True), ("— {a} + {b} = {sum}",
    True),
    ("Apples – {a} + {b} = {sum}", True), ("Cost — {a} * {c} = {product}", True), ("* {a} + {b} = {sum}", True),
    ("{b}\\frac{{3}}{{4}} = {b}.75", None), ("{b} \\tfrac{{1}}{{2}} + {a} = {mixed_sum}", True),
    ("{b}\\frac{{975}}{{1000}} = {b}.975", None), ("{a}\\dfrac{{1}}{{4}} = {a}.25", None),
    ("{a} + {b} = {sum}1", False), ("- {a} + {b} = {sum}1", False), ("{a} * {c} = 1{product}", False),
    ("$\\frac{{1}}{{{c}}} = \\frac{{1}}{{{b}}} + \\frac{{1}}{{d_o}}$", None), ("Total - {a} + {b} = {sum}", True)]
"""(line, whether it is true; None: it must not be called false)."""
