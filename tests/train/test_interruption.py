import os
import signal
import threading

import pytest

from faststyle.train.interruption import StopRequest

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def received():
    """Signals that came through to the handlers outside; they are put back after the test."""
    numbers: list[int] = []
    before = {number: signal.signal(number, lambda n, _: numbers.append(n)) for number in SIGNALS}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_for_a_stop_and_goes_no_further(number, received):
    with StopRequest() as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.requested
    assert received == []


@pytest.mark.parametrize("number", SIGNALS)
def test_the_second_signal_does_what_it_did_before(number, received):
    with StopRequest():
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        assert received == [number]


def test_a_second_ctrl_c_stops_at_once():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested


@pytest.mark.parametrize("asked", [False, True])
def test_handlers_are_restored_afterwards(asked):
    before = [signal.getsignal(number) for number in SIGNALS]
    with StopRequest():
        assert [signal.getsignal(number) for number in SIGNALS] != before
        if asked:
            os.kill(os.getpid(), signal.SIGINT)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_handlers_are_restored_after_an_error():
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(RuntimeError), StopRequest():
        raise RuntimeError
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_thread_other_than_the_main_one_trains_without_handlers():
    before = [signal.getsignal(number) for number in SIGNALS]
    seen = []

    def work() -> None:
        with StopRequest() as stop:
            seen.append((stop.requested, [signal.getsignal(number) for number in SIGNALS]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
