"""Search for what no single fault shows: random schedules, shrunk to the smallest that breaks a promise, and kept."""

from harness.explore.drawing import Space, draw_schedules
from harness.explore.search import Budget, Found, Report, Trial, explore

__all__ = ["Budget", "Found", "Report", "Space", "Trial", "draw_schedules", "explore"]
