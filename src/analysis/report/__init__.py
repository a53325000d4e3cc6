"""Report: params are checked, the notebook runs, one page with its numbers comes out."""
