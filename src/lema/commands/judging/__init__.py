"""`lema judge-corrector`: how good a model is at correcting, and what each check of its corrections is worth.

One design decision: a corrector is judged by the road that it takes in a run (prompt, reply, parser, checks), on
mistakes whose first wrong step is known; what is known never reaches it.
"""
