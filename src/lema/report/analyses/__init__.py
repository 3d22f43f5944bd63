"""The tables of a run beside its comparison, one module for each question that they answer.

One design decision: an analysis is a function of rows that gives tables and asks nobody anything; it may be made
of any run that has the rows.
"""
