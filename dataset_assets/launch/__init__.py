"""How runs are started on this machine: worker processes, their limits and ends, and the Dagster home."""
