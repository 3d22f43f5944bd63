"""A model backend for tests of sampling: `says` names what it answers to a question, by the path's index."""

from lema import plugins
from lema.messages import Completion


class Settings(plugins.Settings):
    """For each question's text its wrong or right answers, path by path; the last one is repeated."""

    says: dict[str, tuple[int, ...]]


class Model:
    """Ten tokens a path, and a list of what it was asked."""

    def __init__(self, settings):
        self.settings, self.asked = settings, []

    def identity(self):
        return {"model": "drawing"}

    def complete(self, requests):
        for request in requests:
            (about,) = request.about
            self.asked.append((about.text, request.index))
            answers = self.settings.says[about.text]
            answer = answers[min(request.index, len(answers) - 1)]
            yield Completion(f"Step 1: It is {answer}.\nStep 2: The answer is {answer}.", tokens=10)
