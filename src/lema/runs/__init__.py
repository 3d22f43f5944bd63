"""What asking costs: prices, the budget of a run, and asking until so much is spent.

One design decision: tokens are what is kept, prices are applied when money is shown or weighed.
"""
