"""The viewer's addresses, behind the token that begins them all."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lema.commands.view.guard import ViewGuard
from lema.commands.view.opened import Opened
from lema.commands.view.pages import Pages
from lema.commands.view.writing import Writing


def site_of(opened: Opened, token: str, port: int) -> Starlette:
    """The application that shows a run at `/<token>/`."""
    pages, writing = Pages(opened, f"/{token}"), Writing(opened)
    routes = [
        Route("/", pages.overview), Route("/rows", pages.rows), Route("/question/{identifier}", pages.question),
        Route("/flips", pages.flips), Route("/rate", pages.rate), Route("/ratings", pages.ratings),
        Route("/ratings.jsonl", pages.ratings_file), Route("/live", pages.live), Route("/report", pages.report),
        Route("/rating", writing.rate, methods=["POST"]), Route("/undo", writing.undo, methods=["POST"]),
        Mount("/static", StaticFiles(packages=[("lema.commands.view", "static")])),
    ]
    return Starlette(routes=[Mount(f"/{token}", routes=routes)],
                     middleware=[Middleware(ViewGuard, token=token, port=port)],
                     exception_handlers={HTTPException: pages.problem})
