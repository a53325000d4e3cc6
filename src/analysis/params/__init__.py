"""Params: what a campaign is, or which experiments are compared, read from one strict YAML file."""

from analysis.params.editions import Editions
from analysis.params.experiments import Experiments
from analysis.params.load import Params, load
from analysis.params.model import Campaign
from analysis.params.problem import CampaignError, Problem

__all__ = ["Campaign", "CampaignError", "Editions", "Experiments", "Params", "Problem", "load"]
