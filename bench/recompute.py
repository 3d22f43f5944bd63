"""Every figure of a run's table once more, from the rows on disk, by code that shares nothing with lema's.

    python bench/recompute.py runs/tiny

One design decision: nothing of lema is imported; numpy, scipy and statsmodels do the statistics, bills are summed
from what each reply cost, and where answers are "The answer is N." they are read and judged anew. Prints what
was compared and exits with 1 where a figure of table.txt, of table.md (the README's), of the scores or of the
comparisons is another one. Bills are known for arms of worked, bought, corrected and continued paths.
"""

import argparse
import itertools
import json
import math
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

LAST = re.compile(r"The answer is (\d+)")


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def right_answers(run: Path, judge_anew: bool) -> dict[str, dict[str, list[bool]]]:
    """Model → question → whether each answer is right."""
    gold = {row["id"]: row["answer"] for row in rows(run / "questions/rows.jsonl")}
    right: dict = defaultdict(lambda: defaultdict(list))
    for row in rows(run / "examined/rows.jsonl"):
        verdict = row["verdict"] == "right"
        if judge_anew and row["finish"] == "stop":
            stated = LAST.findall(row["text"])
            verdict = bool(stated) and int(stated[-1]) == int(gold[row["question"]])
        right[row["model"]][row["question"]].append(verdict)
    return right


def shares(answers: dict[str, list[bool]]) -> np.ndarray:
    return np.array([np.mean(answers[question]) for question in sorted(answers)])


class Apart:
    """The analysis of one pair of arms, as docs/decisions.md describes it, with scipy's distributions."""

    def __init__(self, ours: np.ndarray, theirs: np.ndarray) -> None:
        both = ours - theirs
        self.seeds, self.questions = both.shape
        self.mean, self.each_seed = both.mean(), both.mean(axis=1)
        of_questions = both.mean(axis=0)
        self.deciding = int((np.abs(of_questions) > 1e-12).sum())
        self.over_questions, p = self._over_questions(of_questions)
        least = min(1.0, 2.0 ** (1 - self.deciding))
        error, freedom = np.std(of_questions, ddof=1) / math.sqrt(self.questions), self.questions - 1
        self.crossed = self.over_seeds = None
        self.p = max(least, p)
        if self.seeds > 1:
            of_seeds = self._deviation(both) / math.sqrt(self.seeds)
            half = stats.t.ppf(0.975, self.seeds - 1) * of_seeds
            self.over_seeds = max(-1, self.mean - half), min(1, self.mean + half)
            squares = error**2 + of_seeds**2
            share = max(0.5, of_seeds**2 / squares)
            freedom = 1 / (share**2 / (self.seeds - 1) + (1 - share) ** 2 / (self.questions - 1))
            error = math.sqrt(squares)
            half = stats.t.ppf(0.975, freedom) * error
            low, high = self.over_questions
            self.crossed = max(-1, min(self.mean - half, low)), min(1, max(self.mean + half, high))
            self.p = max(self.p, 2 * stats.t.sf(abs(self.mean) / error, freedom))
        self.error, self.freedom = error, freedom

    def _deviation(self, both: np.ndarray) -> float:
        if np.ptp(self.each_seed) > 1e-12:
            return np.std(self.each_seed, ddof=1)
        return math.sqrt(max(both.var(axis=0, ddof=1).sum(), 1 / self.seeds)) / self.questions

    def _over_questions(self, values: np.ndarray) -> tuple[tuple[float, float], float]:
        if np.ptp(values) < 1e-12:
            unseen = 1 - 0.025 ** (1 / len(values))
            return (values[0] - unseen * (1 + values[0]), values[0] + unseen * (1 - values[0])), 0.0
        test = stats.ttest_1samp(values, 0)
        low, high = test.confidence_interval(0.95)
        if self.deciding < 6:
            low, high = min(low, 0), max(high, 0)
        return (max(-1, low), min(1, high)), test.pvalue

    def least(self, comparisons: int) -> float:
        low, high = self.crossed or self.over_questions
        tails = stats.t.ppf(1 - 0.025 / comparisons, self.freedom) + stats.t.ppf(0.8, self.freedom)
        return max((high - low) / 2, tails * self.error)


class Check:
    """Figures that agree, and those that do not."""

    def __init__(self) -> None:
        self.agreeing, self.wrong = 0, []

    def figure(self, what: str, theirs: object, ours: object) -> None:
        if isinstance(ours, str) or ours is None or theirs is None:
            same = theirs == ours
        else:
            same = np.allclose(np.asarray(theirs, float), np.asarray(ours, float), rtol=1e-6, atol=1e-9)
        if same:
            self.agreeing += 1
        else:
            self.wrong.append(f"{what}: the run has {theirs}, recomputed {ours}")


def points(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{abs(100 * value):.1f}"


def bracket(interval: tuple[float, float] | None) -> str:
    return "one seed" if interval is None else f"[{points(interval[0])}, {points(interval[1])}]"


def tokens(number: int) -> str:
    if number < 1_000:
        return str(number)
    return f"{number / 1e3:.1f}k" if number < 999_950 else f"{number / 1e6:.1f}M"


def scores(run: Path, right: dict, models: dict[str, dict[int, str]], base: str, check: Check) -> None:
    verdicts: dict = defaultdict(lambda: defaultdict(int))
    level = {row["id"]: row["level"] for row in rows(run / "questions/rows.jsonl")}
    for row in rows(run / "examined/rows.jsonl"):
        for slice_ in {None, level[row["question"]]}:
            verdicts[row["model"], slice_][row["verdict"]] += 1
    for row in rows(run / "scores/rows.jsonl"):
        model = models[row["arm"]][row["seed"]] if row["arm"] else base
        own = {name: answers for name, answers in right[model].items() if row["level"] in (None, level[name])}
        name = f"score of {model}, level {row['level']}"
        check.figure(f"{name}: right", row["right"], shares(own).sum())
        check.figure(f"{name}: questions", row["questions"], len(own))
        for what in ("no_answer", "truncated", "ungradable"):
            check.figure(f"{name}: {what}", row[what], verdicts[model, row["level"]][what])
        for k, chance in row["pass_at"].items():
            counts = [(len(answers), sum(answers)) for answers in own.values()]
            expected = np.mean([1 - stats.hypergeom.pmf(0, n, c, int(k)) for n, c in counts])
            check.figure(f"{name}: pass@{k}", chance, expected)


def bill(run: Path, arm: str, table: dict, base: str, mistaken: dict[str, list[str]]) -> tuple[int, int, int]:
    """(tokens that teachers wrote, that they read, that students wrote) on the way to an arm: all replies of each
    round that a row of its set comes from, rejected ones too; of what is bought as much as the cap pays. An arm
    "bought" that says no more buys for failed questions, which the students' paths tell. `mistaken`: the models
    whose mistakes are mended by a source; of none that is named, all."""
    cap, failed = table.get("budget", {}).get("teacher_tokens"), arm == "bought" and "take" not in table
    held = rows(run / f"sets/{arm}/rows.jsonl")
    paid, sampled = [], 0
    for name in ["", *(path.parent.name for path in run.glob("*/questions") if path.parent.name != "lessons")]:
        here = run / name
        asked = rows(here / "questions/rows.jsonl")
        ids = {row["id"] for row in asked}
        sources = {row["source"] for row in held if row["question"] in ids}
        for source in sources & {"corrections", "continued"}:
            paid += rows(here / source / "rows.jsonl")
        mended = sources & {"corrections", "continued"}
        if mended and name:
            paid += asked
        graded = rows(here / "graded/rows.jsonl") if mended or "own" in sources or (failed and not name) else []
        sampled_here = {row["model"] for row in graded}
        corrected = set().union(*(sampled_here & set(mistaken[source]) or sampled_here for source in mended))
        looked_at = corrected if corrected and "own" not in sources else corrected | {base}
        sampled += sum(row["tokens"] for row in graded if row["model"] in looked_at)
    sampled += sum(each["student_tokens"] for each in paid if "student_tokens" in each)
    if any(row["source"] == "teacher" for row in held):
        written = 0
        for row in rows(run / "bought/graded/rows.jsonl"):
            if cap is None or written < cap:
                paid.append(row)
                written += row["tokens"]
    return sum(row["tokens"] for row in paid), sum(row["prompt_tokens"] for row in paid), sampled


def page(run: Path, matrix: dict, apart: dict, adjusted: dict, accounts: dict, models: dict, check: Check) -> None:
    """The README's table: its three bills, its sentences, and how far two seeds of one arm agree."""
    config = tomllib.loads((run / "config.toml").read_text())
    arms, base = config["arms"], config["train"]["base"]
    whole = config.get("correct", {}).get("models", [])
    mistaken = {"corrections": whole, "continued": config.get("continue", {}).get("models") or whole}
    text = (run / "report/table.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]]
             for line in text.splitlines() if line.startswith("| ")}
    for arm in models:
        theirs = accounts[arm]
        read = sum(prompts for prompts, _ in theirs["teachers"].values())
        ours = bill(run, arm, arms[arm], base, mistaken)
        check.figure(f"bill of {arm}", (theirs["teacher_tokens"], read, theirs["student_tokens"]), ours)
        check.figure(f"page, bill of {arm}", " ".join(lines[arm][2:5]), " ".join(map(tokens, ours)))
        check.figure(f"page, {arm}", lines[arm][5].split()[0], f"{100 * matrix[arm].mean():.1f}")
    for (arm, other), each in apart.items():
        interval = bracket(each.crossed)
        if arm in lines and other == next(iter(models)):
            check.figure(f"page, {arm} apart", " ".join(lines[arm][6:8]), f"{points(each.mean)} {interval}")
        sentence = next((line for line in text.splitlines() if line.startswith(f"- {arm} against {other}:")), None)
        if sentence:
            whole = (f"{interval} ({bracket(each.over_questions)} over {each.questions:,} questions, "
                     f"{bracket(each.over_seeds)} over {each.seeds} seeds)")
            check.figure(f"sentence of {arm} and {other}", whole in sentence, True)
            better = adjusted[arm, other] < 0.05 and each.crossed[0] * each.crossed[1] > 0
            check.figure(f"claim of {arm} and {other}", "no difference shown" in sentence, not better)
            if not better:
                least = f"detects is {100 * each.least(len(apart)):.1f}."
                check.figure(f"least of {arm} and {other}", sentence.endswith(least), True)
    shares = [np.mean([(one != two).mean() for one, two in itertools.combinations(matrix[arm], 2)])
              for arm in models]
    flat = " ".join((run / "report/table.txt").read_text(encoding="utf-8").split())
    check.figure("seeds disagree", f"disagree on {100 * np.mean(shares):.1f} % of the questions" in flat, True)


def table_lines(run: Path, names: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The cells of the two parts of the table, by arm."""
    blocks = (run / "report/table.txt").read_text(encoding="utf-8").split("\n\n")
    parts = []
    for block in blocks[:2]:
        cells = {}
        for line in block.splitlines()[2:]:
            first, *others = re.split(r"\s{2,}", line.strip())
            if first in names:
                cells[first] = others
        parts.append(cells)
    return parts[0], parts[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("run", type=Path)
    run, check = parser.parse_args().run, Check()
    facts = json.loads((run / "scores/record.json").read_text())["facts"]["settings"]
    right = right_answers(run, judge_anew='name = "lab"' in (run / "config.toml").read_text())
    models: dict[str, dict[int, str]] = defaultdict(dict)
    for model, arm, seed in facts["examined"]:
        models[arm][seed] = model
    matrix = {arm: np.array([shares(right[model]) for model in seeds.values()]) for arm, seeds in models.items()}
    matrix["(before)"] = shares(right[facts["base"]])[None]
    scores(run, right, models, facts["base"], check)

    written = [row for row in rows(run / "comparisons/rows.jsonl") if not row.get("test_set")]
    if len(written) != len(rows(run / "comparisons/rows.jsonl")):
        sys.exit("this script knows runs without further test sets")
    apart = {(row["arm"], row["baseline"]): Apart(matrix[row["arm"]], matrix[row["baseline"]]) for row in written}
    adjusted = dict(zip(apart, multipletests([each.p for each in apart.values()], method="holm")[1], strict=True))
    for row in written:
        pair = row["arm"], row["baseline"]
        name, each = " against ".join(pair), apart[pair]
        for what, ours in (("mean", each.mean), ("crossed", each.crossed), ("over_questions", each.over_questions),
                           ("over_seeds", each.over_seeds), ("seed_differences", each.each_seed),
                           ("p_value", each.p), ("p_holm", adjusted[pair]),
                           ("detectable", each.least(len(apart)))):
            check.figure(f"{name}: {what}", row[what], ours)

    accounts = {row["arm"]: row for row in rows(run / "accounts/rows.jsonl")}
    first, behind = table_lines(run, ["(before)", *models])
    for arm, cells in first.items():
        deviation = f"{100 * matrix[arm].mean(axis=1).std(ddof=1):.1f}" if len(matrix[arm]) > 1 else "–"
        trained = [rows(run / f"models/{model}/rows.jsonl")[0]["tokens"] for model in models.get(arm, {}).values()]
        expected = [tokens(round(np.mean(trained)) if trained else 0),
                    tokens(accounts[arm]["teacher_tokens"] if arm in accounts else 0),
                    f"{100 * matrix[arm].mean():.1f} ±{deviation}"]
        pair = arm, facts["baseline"]
        if pair in apart:
            each = apart[pair]
            expected += [points(each.mean), bracket(each.crossed), f"{100 * each.least(len(apart)):.1f}"]
            check.figure(f"behind {arm}", " ".join(behind[arm][1:3]),
                         f"{bracket(each.over_questions)} {bracket(each.over_seeds)}")
            check.figure(f"p of {arm}", behind[arm][3],
                         "<0.001" if adjusted[pair] < 0.001 else f"{adjusted[pair]:.3f}")
        for place, ours in enumerate(expected):
            check.figure(f"table, {arm}, column {place + 1}", cells[place], ours)
        if arm in accounts:
            held = [row for row in rows(run / f"sets/{arm}/rows.jsonl") if not row["rejected"]]
            check.figure(f"examples of {arm}", behind[arm][0], f"{len(held):,}")
    if len(next(iter(models.values()))) > 1 and (run / "report/table.md").is_file():
        page(run, matrix, apart, adjusted, accounts, models, check)
    print(f"{run}: {check.agreeing} figures recomputed and found the same, {len(check.wrong)} not")
    print("\n".join(check.wrong), end="\n" if check.wrong else "")
    return 1 if check.wrong or set(first) != {"(before)", *models} else 0


if __name__ == "__main__":
    sys.exit(main())
