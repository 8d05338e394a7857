"""The process that watches the services of the UI; `dataset-assets ui` is replaced by it.

Not here: the services (`services`).
"""

from __future__ import annotations

import sys

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.ui.services import serve

if __name__ == "__main__":
    try:
        serve(sys.argv[1], int(sys.argv[2]))
    except DatasetAssetsError as error:
        sys.exit(str(error))
