import pytest

from faststyle.scripts.web.cancelling import CancelledError, Cancelling


def test_only_the_session_that_cancelled_ends_and_its_next_work_is_wanted():
    cancelling = Cancelling()
    cancelling.begin("one")
    cancelling.begin("two")
    cancelling.cancel("one")
    cancelling.check("two")
    with pytest.raises(CancelledError):
        cancelling.check("one")
    cancelling.begin("one")
    cancelling.check("one")
