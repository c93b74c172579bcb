import pytest

from faststyle.infer.compare.equal_iterations import AtLeast
from faststyle.infer.compare.settings import CompareSettings, Method
from faststyle.infer.compare.summary import network_summary, photo_answers, sentences, size_summary
from faststyle.infer.optimize.settings import OptimizeSettings

METHOD = Method("lbfgs", "content")


def result(level: float, totals: list[float], *, network_seconds: float | None = 0.5) -> dict:
    """One photo at 64 px whose iterations take a second each."""
    run = {"terms": {"total": totals}, "seconds": list(range(len(totals))), "network_seconds": network_seconds}
    seconds = [network_seconds] * 3 if network_seconds else []
    network = {
        "terms": {"total": level, "style": 2 * level},
        "judged": {"lpips": level / 10},
        "content_terms": {"total": 9.0},
        "seconds": seconds,
    }
    return {"size": 64, "network": network, "methods": {"lbfgs:content": run}}


RESULTS = [
    result(5.0, [9.0, 6.0, 4.0]),  # equals 1.5
    result(3.0, [9.0, 5.0, 1.0]),  # equals 1.5
    result(3.0, [9.0, 6.0, 3.0]),  # equals 2
    result(1.0, [9.0, 6.0, 3.0]),  # more than 2
    result(1.0, [9.0, 6.0, 3.0]),  # more than 2
]


def settings() -> CompareSettings:
    objective = OptimizeSettings(content="c", styles=("s",))
    return CompareSettings(model="m", style="s", content="c", objective=objective, sizes=(64,), methods=(METHOD,))


def test_one_photos_answer_by_hand():
    answer = photo_answers(RESULTS[0])["lbfgs:content"]
    assert answer == {"iterations": AtLeast(1.5), "seconds": AtLeast(1.5), "speed_up": AtLeast(3.0), "best": 4.0}


def test_quartiles_keep_what_was_not_reached():
    summary = size_summary(RESULTS, 64, METHOD)
    assert (summary["photos"], summary["reached"]) == (5, 3)
    assert summary["iterations"] == (AtLeast(1.5), AtLeast(2.0), AtLeast(2.0, False))
    assert summary["speed_up"] == (AtLeast(3.0), AtLeast(4.0), AtLeast(4.0, False))


def test_the_networks_medians():
    summary = network_summary(RESULTS, 64)
    assert summary["terms"] == {"total": 3.0, "style": 6.0}
    assert summary["judged"] == {"lpips": 0.3}
    assert (summary["content_total"], summary["seconds"]) == (9.0, 0.5)


def test_the_answer_in_words():
    assert sentences(RESULTS, settings()) == [
        "At 64 px the network equals 2.0 (1.5 to > 2.0) iterations of L-BFGS from the content image and is 4.0 (3.0 to "
        "> 4.0) times as fast: median and quartiles of 5 photos."
    ]


@pytest.mark.parametrize("count", [1, 2])
def test_files_without_seconds_have_no_speed_up(count):
    results = [result(5.0, [9.0, 6.0, 4.0], network_seconds=None)] * count
    assert size_summary(results, 64, METHOD)["speed_up"] is None
    assert network_summary(results, 64)["seconds"] is None
    (sentence,) = sentences(results, settings())
    assert "fast" not in sentence
    assert sentence.endswith(f"of {count} photo{'s' if count > 1 else ''}.")
