"""Params: what a campaign is, read from one strict YAML file."""

from analysis.params.load import load
from analysis.params.model import Campaign
from analysis.params.problem import CampaignError, Problem

__all__ = ["Campaign", "CampaignError", "Problem", "load"]
