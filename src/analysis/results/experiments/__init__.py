"""Many experiments side by side, from the summaries of their arms."""
