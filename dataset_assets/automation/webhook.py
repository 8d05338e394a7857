"""Post messages to the webhook of the configuration.

Not here: what is posted, and when (`failed_runs`).
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Mapping
from typing import Final

TIMEOUT_S: Final = 5.0
# For what no timeout of a socket covers: names that are looked up for long, answers that drip.
PATIENCE_S: Final = 10.0


def post(url: str, message: Mapping[str, object], patience_s: float = PATIENCE_S) -> str:
    """Post a message as JSON.

    Args:
        url: The address, http or https.
        message: What is posted.
        patience_s: Seconds after which the caller does not wait any longer.

    Returns:
        Why it did not arrive, in a few words; empty where it did.
    """
    problem = [f"no answer in {patience_s:g} s"]

    def send() -> None:
        body = json.dumps(message, ensure_ascii=False).encode("utf-8", "backslashreplace")
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                problem[0] = ""
        except Exception as error:  # whatever it is, nothing may fail because of it
            problem[0] = str(error) or type(error).__name__

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(patience_s)
    return problem[0]
