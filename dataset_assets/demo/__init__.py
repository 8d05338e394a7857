"""Sample films made of real footage, for the demonstration and for tests.

What belongs here: encoding with PyAV, the sample films, their configuration. Nothing
here reads a user's films.
"""

from dataset_assets.demo.films import DATASET_FOLDER, demo_config, make_films

__all__ = [
    "DATASET_FOLDER",
    "demo_config",
    "make_films",
]
