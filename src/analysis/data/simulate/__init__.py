"""A made-up Double 11 whose true effects are known, to try the package on and to count its errors.

The day is 2025-11-11 in Asia/Shanghai, with 14 days before and 14 after. One user in ten is held out, each drawn
on its own. The model, in the words of the customer-base literature (Poisson visits with gamma heterogeneity:
Ehrenberg 1959; Schmittlein, Morrison and Colombo 1987):

- A user has a tier, a channel and may have fallen silent: 30 cells. Within a cell visits are Poisson with the
  user's own pace, gamma with mean 1; a share of visits ends in an order; list prices are lognormal around the
  user's own purse, lognormal with mean 1. Within a cell pace, purse and all other attributes are independent.
- Before the day shoppers wait; on it the season lifts everybody, the hold-out too.
- The campaign lifts visits, the share of visits with an order and the basket, on the day and in its arm only, and
  takes 50 off each order of 300 or more: 50 off for someone who would have bought anyway, too.
- Demand is pulled forward: who bought on the day buys less in the 14 days after, more so in the campaign arm.

    simulate_double11(seed)   tables as they would lie in a warehouse, with some dirt in them
    draw_outcomes(seed)       the same users, one row each, without the log: for runs over many seeds
    truths()                  what the metrics of either arm are in truth, in closed form
"""

from analysis.data.simulate.draw import Outcomes, draw_outcomes
from analysis.data.simulate.model import Truth, truths
from analysis.data.simulate.tables import Simulated, simulate_double11

__all__ = ["Outcomes", "Simulated", "Truth", "draw_outcomes", "simulate_double11", "truths"]
