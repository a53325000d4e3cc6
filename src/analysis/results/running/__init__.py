"""A campaign while it runs: is the data arriving, is the split right, do the guardrails hold, is it decided?"""
