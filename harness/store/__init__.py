"""Run folders: where what a run leaves behind is written and read."""
