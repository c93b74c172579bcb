import threading
import time

import pytest

from faststyle.infer.stylize.pipeline import overlapped


def run(items, *, read=lambda item: item, work=lambda content: content, write=lambda item, result: None):
    return list(overlapped(items, read=read, work=work, write=write, failures=(ValueError,)))


def test_every_item_is_read_worked_on_and_written_in_order():
    written = []
    outcomes = run(range(5), read=lambda i: i + 1, work=lambda x: x * 10, write=lambda i, r: written.append((i, r)))
    assert outcomes == [(i, None) for i in range(5)]
    assert written == [(i, (i + 1) * 10) for i in range(5)]


@pytest.mark.parametrize("step", ["read", "work", "write"])
def test_a_failing_step_is_the_items_outcome_and_the_others_go_on(step):
    def fail_on_2(*arguments):
        if arguments[0] == 2:
            raise ValueError("two")
        return arguments[0]

    outcomes = run(range(4), **{step: fail_on_2})
    assert [item for item, _ in outcomes] == [0, 1, 2, 3]
    assert [str(error) for _, error in outcomes if error] == ["two"]


@pytest.mark.parametrize("step", ["read", "work", "write"])
def test_an_error_that_is_not_expected_is_raised(step):
    def fail(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(range(4), **{step: fail})


def test_three_steps_run_at_the_same_time():
    barrier = threading.Barrier(3, timeout=10)  # passed only when reader, worker and writer wait in it together

    def meet(item):
        barrier.wait()
        return item

    run(
        range(3),
        read=lambda i: meet(i) if i == 2 else i,
        work=lambda i: meet(i) if i == 1 else i,
        write=lambda i, _: meet(i) if i == 0 else None,
    )


def test_at_most_three_items_are_in_flight():
    alive, most = set(), []

    def read(item):
        alive.add(item)
        most.append(len(alive))
        return item

    def write(item, _):
        time.sleep(0.005)
        alive.discard(item)

    run(range(20), read=read, write=write)
    assert max(most) <= 4  # one of them may have been written without having been noticed
    assert not alive


def test_closing_finishes_what_is_being_written_and_drops_the_rest():
    read, written = [], []

    def write(item, _):
        time.sleep(0.02)
        written.append(item)

    steps = overlapped(range(50), read=read.append, work=lambda x: x, write=write, failures=())
    next(steps)
    steps.close()
    assert written in ([0], [0, 1])
    assert len(read) < 6
