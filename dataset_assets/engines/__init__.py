"""Start Dagster's runs on other machines: a launcher for each engine, named by a `dagster.yaml`.

Here: what each engine is asked to do, and how a lost run is noticed. Not here: what a run does (`assets`),
and what keeps two machines from working on one film (`dataset.leases`). Nothing imports these modules but
Dagster and Celery, so their packages are needed only where they are used.
"""
