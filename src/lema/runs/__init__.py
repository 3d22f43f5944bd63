"""A run: its folder of remembered stages, who performs them and with what, and what asking models for them cost.

One design decision: a stage is its settings and inputs, so that everything about a run (what is done, what it will
ask, what it cost) can be read from its folder and its config without performing anything.
"""
