"""The lab's teacher, as a backend that a config can name.

    [models.teacher]
    backend = "teacher"
    slip = 0.1

One design decision: what it knows is the lab's, so it stands there (lema.tasks.lab.teacher); this is its door.
"""

from lema.tasks.lab import teacher

Model = teacher.Model


class Settings(teacher.Settings):
    """[models.X] with backend = "teacher"."""
