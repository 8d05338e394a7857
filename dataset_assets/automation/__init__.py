"""What Dagster does by itself: sensors and schedules.

Here: when a run is requested, and what follows its end. Not here: what a run makes (`assets`, `generate`),
jobs (`definitions`), runs that a command starts (`launch`).
"""
