"""The verbs of the method, one file each: `verb(context, settings, *inputs)` yields records.

One design decision: stages never import each other; what they share are records, and the order in which they
are called stands in pipeline.py alone. `VERSION` in a stage's file counts changes of what it yields.
"""
