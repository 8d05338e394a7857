"""Reasons why a candidate is not tried, named once for those that judge it and those that count it.

Not here: reasons that lie in its frames (`windows.rules`).
"""

from __future__ import annotations

from typing import Final

PASSED_OVER: Final = "passed_over"
"""It lies too near to another candidate."""

EXCLUDED: Final = "excluded"
"""The configuration or the user by hand excludes what it shows."""

UNTRIED: Final = frozenset({PASSED_OVER, EXCLUDED})
"""Reasons that say nothing about a film: such candidates count neither as tried nor as rejected."""
