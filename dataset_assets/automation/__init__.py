"""What Dagster does by itself: sensors and schedules. What they start belongs to the assets and jobs."""
