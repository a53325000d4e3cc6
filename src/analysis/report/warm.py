"""What every report needs, imported once: the processes that make reports are forked from one that has it."""

# Nothing here may open an engine or start a thread: neither outlives a fork.
import IPython.core.interactiveshell  # noqa: F401
import matplotlib.pyplot  # noqa: F401

import analysis.data.read
import analysis.facts.population
import analysis.report.execute
import analysis.report.index
import analysis.report.render
import analysis.report.results
import analysis.results.evidence
import analysis.showing.sections  # noqa: F401
