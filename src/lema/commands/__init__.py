"""What the commands of `lema` do, one file or folder a verb; `lema.cli` only reads their arguments.

One design decision: a verb returns what is to be said, in words or for programs, and the command line prints it.
"""
