"""What the commands of `lema` do: each is the file or folder of its name; `lema.cli` only reads their arguments.

One design decision: a command returns what is to be printed, in words or for programs, and `lema.cli` prints it.
"""
