import pytest

from faststyle.scripts.web.cancelling import CancelledError, Cancelling


def test_only_the_session_that_cancelled_ends_and_its_next_work_is_wanted():
    cancelling = Cancelling()
    first, other = cancelling.begin("one"), cancelling.begin("two")
    cancelling.cancel("one")
    other()
    with pytest.raises(CancelledError):
        first()
    next_one = cancelling.begin("one")
    next_one()
    with pytest.raises(CancelledError):  # though it comes to know of it only now
        first()


def test_new_work_of_a_session_takes_the_place_of_what_runs():
    cancelling = Cancelling()
    first, second = cancelling.begin("one"), cancelling.begin("one")
    second()
    with pytest.raises(CancelledError):
        first()


def test_cancelling_nothing_is_no_error():
    Cancelling().cancel("one")
