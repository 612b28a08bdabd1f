"""Search for what no single fault shows: random schedules, shrunk to the smallest that breaks a promise, and kept."""

from harness.explore.drawing import Space, draw_schedules
from harness.explore.search import Budget, Found, Phase, Report, Trial, Tried, explore

__all__ = ["Budget", "Found", "Phase", "Report", "Space", "Trial", "Tried", "draw_schedules", "explore"]
