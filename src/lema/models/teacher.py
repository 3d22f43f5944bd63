"""The lab's teacher, as a backend that a config can name.

    [models.teacher]
    backend = "teacher"
    slip = 0.1
    Request((Message("user", "Dan wins 6 coins. Finn wins as many coins as Dan and 5 more. How many …"),))
    → Completion("Step 1: Finn = Dan + 5 = 6 + 5 = 11.\\nStep 2: The answer is 11.", "stop", 26, 24)

One design decision: what it knows is the lab's, so it stands there (lema.tasks.lab.teacher); this is its door.
"""

from lema.tasks.lab import teacher

Model = teacher.Model


class Settings(teacher.Settings):
    """[models.X] with backend = "teacher"."""
