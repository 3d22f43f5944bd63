"""The only things that the viewer writes: a rating, and the taking back of one.

One design decision: what is sent is checked against the run before it is written: a rating is about a row that is
there, by a class that exists, of a stage that is rated.
"""

from contextlib import closing
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lema.commands.view.opened import Opened
from lema.commands.view.query import number_of, read_all
from lema.errors import LemaError
from lema.runs.ratings import Rating, add_rating, new_rating, ratings_of

LARGEST = 64 * 1024  # bytes of what is sent


class SentRating(BaseModel):
    """What the rating page sends."""

    model_config = ConfigDict(extra="forbid")

    correction: str = Field(max_length=64)
    stage: str = Field(max_length=200)
    rater: str = Field(pattern=r"^[\w .@-]{1,40}$")
    rating: Literal["excellent", "good", "poor", ""]
    note: str = Field(default="", max_length=5_000)
    rejected: bool = False
    blind: bool = False


class SentUndo(BaseModel):
    """Whose last rating is to be taken back."""

    model_config = ConfigDict(extra="forbid")

    rater: str = Field(pattern=r"^[\w .@-]{1,40}$")
    stage: str = Field(max_length=200)


class Writing:
    """Takes ratings for one run."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened

    async def rate(self, request: Request) -> Response:
        """Adds a rating."""
        sent = await _sent(SentRating, request)
        if isinstance(sent, Response):
            return sent
        correction = self._correction(sent.stage, sent.correction)
        if correction is None:
            return _refused("no such correction in a stage that is rated")
        rating = new_rating(correction=sent.correction, question=correction["question"], stage=sent.stage,
                            corrector=correction["model"], rater=sent.rater, rating=sent.rating,
                            note=sent.note, rejected=sent.rejected, blind=sent.blind)
        return self._added(rating)

    async def undo(self, request: Request) -> Response:
        """Takes back the rater's last rating, and says of what."""
        sent = await _sent(SentUndo, request)
        if isinstance(sent, Response):
            return sent
        ratings = ratings_of(self.opened.folder)
        mine = [row for row in ratings if (row.rater, row.stage) == (sent.rater, sent.stage)]
        if not mine:
            return _refused("nothing to take back")
        last = mine[-1]
        return self._added(new_rating(correction=last.correction, question=last.question, stage=last.stage,
                                      corrector=last.corrector, rater=last.rater, rating=""))

    def _added(self, rating: Rating) -> Response:
        try:
            add_rating(self.opened.folder, rating)
        except LemaError as error:
            return _refused(str(error), 500)
        return JSONResponse({"correction": rating.correction, "rating": rating.rating,
                             "rejected": rating.rejected})

    def _correction(self, stage: str, identifier: str) -> dict | None:
        if not self.opened.is_rated(stage):
            return None
        with closing(self.opened.index.read()) as db:
            indexed = db.execute("SELECT * FROM rows WHERE id = ? AND stage = ?",
                                 (identifier, number_of(db, stage))).fetchall()
            rows = read_all(db, self.opened.folder, indexed[:1])
        return rows[0] if rows and "model" in rows[0] else None


async def _sent(kind: type[BaseModel], request: Request) -> BaseModel | Response:
    body = await request.body()
    if len(body) > LARGEST:
        return _refused("too much at once", 413)
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        return _refused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


def _refused(reason: str, status: int = 422) -> Response:
    return JSONResponse({"error": reason}, status)
