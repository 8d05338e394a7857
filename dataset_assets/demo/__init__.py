"""Sample films made of real footage, for the demonstration and for tests.

Here: encoding with PyAV, the sample films, their configuration. Not here: reading a user's films (`video`).
"""

from dataset_assets.demo.films import DATASET_FOLDER, demo_config, make_films

__all__ = [
    "DATASET_FOLDER",
    "demo_config",
    "make_films",
]
