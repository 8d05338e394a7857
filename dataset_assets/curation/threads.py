"""Work on many patches in threads. Not here: what is done with a patch (`scoring`, `degrading`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

# Results that wait to be stored, for each thread.
AHEAD: Final = 4

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(
    items: Iterable[_Item], work: Callable[[_Item], _Result], workers: int, name: str
) -> Iterator[tuple[_Item, _Result]]:
    """Do the same with each item, in threads of this name; what has not begun at an early end is not done.

    Yields:
        Each item with what came of it, in their order.
    """
    waiting: deque[tuple[_Item, Future[_Result]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            if len(waiting) >= workers * AHEAD:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
