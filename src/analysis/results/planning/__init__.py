"""Answers before a campaign runs: are the goals good ones, what can be seen, who is held out, who gets which arm."""
