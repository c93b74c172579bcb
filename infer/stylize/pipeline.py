"""Three steps for each of many items, overlapped: read ahead in one thread, write behind in another."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")


def overlapped(
    items: Iterable[Item],
    *,
    read: Callable[[Item], Any],
    work: Callable[[Any], Any],
    write: Callable[[Item, Any], None],
    failures: tuple[type[Exception], ...],
) -> Generator[tuple[Item, Exception | None], None, None]:
    """Yields every item in its order once it is written, with the error that it failed with, or None.

    `work` runs in the caller's thread, so that Ctrl-C stops it. Memory is bounded: at any time one item is read ahead,
    one worked on, one written. Errors other than `failures` are raised. When the iterator is closed, what has been
    worked on is still written and the rest is dropped.
    """
    with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(1, "write") as writer:
        behind: deque[tuple[Item, Future]] = deque()
        try:
            for item, content in _ahead(reader, read, items):
                try:
                    result = work(content.result())
                except failures as error:
                    behind.append((item, _failed(error)))
                else:
                    while behind:
                        yield _outcome(*behind.popleft(), failures)
                    behind.append((item, writer.submit(write, item, result)))
                    del result
                del content
            while behind:
                yield _outcome(*behind.popleft(), failures)
        finally:
            reader.shutdown(wait=False, cancel_futures=True)
            writer.shutdown(wait=True)


def _ahead(pool: ThreadPoolExecutor, read: Callable, items: Iterable[Item]) -> Iterator[tuple[Item, Future]]:
    waiting: tuple[Item, Future] | None = None
    for item in items:
        current, waiting = waiting, (item, pool.submit(read, item))
        if current:
            yield current
    if waiting:
        yield waiting


def _failed(error: Exception) -> Future:
    future: Future = Future()
    future.set_exception(error)
    return future


def _outcome(item: Item, written: Future, failures: tuple[type[Exception], ...]) -> tuple[Item, Exception | None]:
    try:
        written.result()
    except failures as error:
        return item, error
    return item, None
