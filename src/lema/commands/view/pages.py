"""The pages of the viewer: what each of them shows, read from the index and the run's files.

One design decision: a page is a function from its address to the values of its template and changes nothing, so it
can be opened, reloaded and sent to somebody else; writing is another file (writing.py).
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response

from lema import figures
from lema.commands.run_folder import going_on
from lema.commands.view.flips import SIDES, arms_of, flips_of
from lema.commands.view.life import life_of, pair_of, question_of
from lema.commands.view.opened import Opened
from lema.commands.view.query import ORDERS, SIZES, Query, choices_of, number_in, number_of, page_of, read_all
from lema.commands.view.sampling import RatingSession, sample_of
from lema.records import to_row
from lema.report.page import visible
from lema.runs.ratings import MEANING, agreements, by_corrector, every_rating, ratings_of

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
TEXTS = ("text", "completion", "reply", "critique")
EXCERPT = 180
GONE = dict.fromkeys(("id", "text", "answer", "model", "reply", "explanation", "rejected"), "")
GONE |= {"verified": None}
KINDS = {"Question": "questions", "ReasoningPath": "paths", "Correction": "corrections", "Example": "examples",
         "Checkpoint": "model", "Critique": "critiques", "StepCorrection": "one-step corrections",
         "Account": "arms", "Score": "scores", "Comparison": "comparisons", "Table": "tables"}
"""What the rows of a stage are called on the page."""
TITLES = {"reason": "check or reason", "label": "sort", "fate": "what became of it"}


class Pages:
    """The pages of one run. `root` is the beginning of every address, its token included."""

    def __init__(self, opened: Opened, root: str) -> None:
        self.opened, self.root = opened, root
        self._templates = _environment()
        self._templates.globals.update(root=root, run=opened.name)

    def overview(self, request: Request) -> Response:
        """The funnels, every figure a link to its rows, and all stages."""
        self.opened.refresh()
        with closing(self.opened.index.read()) as db:
            notes = dict(db.execute("SELECT name, value FROM notes").fetchall())
            stages = db.execute("SELECT * FROM stages ORDER BY number").fetchall()
        waiting = self.opened.waiting()
        return self._page("overview", funnels=json.loads(notes.get("funnels", "[]")), stages=stages,
                          live=self.opened.live.facts(), report=self.opened.report(), kinds=KINDS,
                          answer=self.opened.answer(), waiting=waiting, again=going_on(self.opened.folder),
                          stale=sum(state == "stale" for _, state in waiting))

    def rows(self, request: Request) -> Response:
        """A page of the rows of one stage."""
        query = Query.of(request.query_params)
        with closing(self.opened.index.read()) as db:
            if number_of(db, query.stage) is None:
                raise HTTPException(404, f"no finished stage {query.stage!r} here")
            page = page_of(db, self.opened.folder, query)
            choices = choices_of(db, query.stage)
            names = [row["name"] for row in db.execute("SELECT name FROM stages ORDER BY number")]
            kind = db.execute("SELECT kind FROM stages WHERE name = ?", (query.stage,)).fetchone()["kind"]
        return self._page("rows", query=query, page=page, choices=choices, names=names, kind=kind, titles=TITLES,
                          orders=[order for order in ORDERS if order], sizes=SIZES)

    def question(self, request: Request) -> Response:
        """One question's life, found by the id of any row of it."""
        identifier = request.path_params["identifier"]
        with closing(self.opened.index.read()) as db:
            question = question_of(db, identifier)
            life = life_of(db, self.opened.folder, question) if question else None
        if life is None:
            raise HTTPException(404, f"no row, or several, with the id {identifier!r}")
        return self._page("question", life=life, identifier=identifier)

    def flips(self, request: Request) -> Response:
        """Questions on which two arms differ."""
        given = request.query_params
        with closing(self.opened.index.read()) as db:
            number = number_of(db, self.opened.examined)
            arms = arms_of(db, number) if number is not None else []
            arm, other = self.opened.headline
            arm, other = given.get("arm", arm), given.get("other", other)
            side = given.get("side", "") if given.get("side", "") in SIDES else ""
            page = max(1, number_in(given.get("page"), 1))
            flips = flips_of(db, number, arm, other, side, page) if {arm, other} <= set(arms) else None
            texts = self._texts(db, flips.rows) if flips else {}
        return self._page("flips", arms=arms, arm=arm, other=other, side=side, page=page, flips=flips, texts=texts)

    def _texts(self, db: sqlite3.Connection, rows: list[sqlite3.Row]) -> dict[str, str]:
        """The texts of these rows' questions."""
        texts = {}
        for row in rows:
            indexed = db.execute("SELECT * FROM rows WHERE id = ? ORDER BY place DESC LIMIT 1",
                                 (row["question"],)).fetchall()
            for read in read_all(db, self.opened.folder, indexed):
                texts[row["question"]] = read.get("text", "")
        return texts

    def rate(self, request: Request) -> Response:
        """One correction of a sample, to be rated."""
        session = RatingSession.of(request.query_params)
        if not session.rater:
            return self._page("begin", session=session, stages=self.opened.rated_stages(), meaning=MEANING)
        with closing(self.opened.index.read()) as db:
            sample = sample_of(db, session)
            if not sample:
                raise HTTPException(404, "no rows to rate; choose others")
            at = min(session.at, len(sample))
            shown = self._rated(db, session.query.stage, sample[at - 1])
        mine = {row.correction: row for row in ratings_of(self.opened.folder) if row.rater == session.rater}
        return self._page("rate", session=session, at=at, sample=sample, shown=shown, meaning=MEANING,
                          rating=mine.get(sample[at - 1]), rated=len(mine.keys() & set(sample)))

    def _rated(self, db: sqlite3.Connection, stage: str, identifier: str) -> dict[str, Any]:
        """A correction with its question and its path, side by side."""
        correction = _row(db, self.opened.folder, "id = ? AND stage = ?", [identifier, number_of(db, stage)])
        question = _row(db, self.opened.folder, "id = ?", [correction.get("question", "")])
        path = _row(db, self.opened.folder, "id = ?", [correction.get("path", "")])
        pair = pair_of(path, correction)
        # a row that is gone or damaged leaves its place empty
        return {"correction": GONE | correction, "question": GONE | question, "path": GONE | path, "pair": pair}

    def ratings(self, request: Request) -> Response:
        """What was rated so far: by corrector, how far raters agree, and every note."""
        ratings = ratings_of(self.opened.folder)
        return self._page("ratings", table=by_corrector(ratings), agreements=agreements(ratings), ratings=ratings,
                          meaning=MEANING, stages=self.opened.rated_stages())

    def ratings_file(self, request: Request) -> Response:
        """Every row of the ratings, those that were taken back too, as JSON lines."""
        lines = [to_row(rating) for rating in every_rating(self.opened.folder)]
        named = {"content-disposition": 'attachment; filename="ratings.jsonl"'}
        return PlainTextResponse("".join(f"{line}\n" for line in lines), headers=named,
                                 media_type="application/x-ndjson")

    def live(self, request: Request) -> Response:
        """What the run is doing, for the overview's script."""
        facts = self.opened.live.facts()
        facts["replies"] = [{**reply, "text": visible(reply["text"])} for reply in facts["replies"]]
        return JSONResponse(facts | {"changed": self.opened.refresh()})

    def report(self, request: Request) -> Response:
        """The run's report, under its own policy."""
        path = self.opened.report()
        if path is None:
            raise HTTPException(404, "this run has no report yet")
        return FileResponse(path, headers={"content-security-policy": REPORT_POLICY})

    async def problem(self, request: Request, error: Exception) -> Response:
        """One line for what cannot be shown."""
        status = getattr(error, "status_code", 500)
        return self._page("problem", status=status, detail=getattr(error, "detail", str(error)))

    def _page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        page = self._templates.get_template(f"{name}.html.j2").render(**values)
        return HTMLResponse(page.encode("utf-8", "replace"), status)


def _row(db: sqlite3.Connection, folder: Path, where: str, values: list) -> dict:
    """The last of the rows that there are; empty without any."""
    indexed = db.execute(f"SELECT * FROM rows WHERE {where} ORDER BY place DESC LIMIT 1", values).fetchall()
    return read_all(db, folder, indexed)[0] if indexed else {}


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.PackageLoader("lema.commands.view", "templates"), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(visible=visible, thin=figures.count, excerpt=excerpt, percent=figures.percent)
    return environment


def excerpt(row: dict) -> str:
    """The beginning of what a row says, on one line."""
    if row.get("kind") and row.get("completion"):
        text = row["completion"]
    else:
        text = next((row[name] for name in TEXTS if isinstance(row.get(name), str) and row[name]), None)
    text = " ".join((text if text is not None else json.dumps(row, ensure_ascii=False)).split())
    return text if len(text) <= EXCERPT else text[:EXCERPT - 1] + "…"
