import numpy as np
import pytest

from faststyle.infer.compare.equal_iterations import AtLeast, crossing, quartiles, ratio


def test_the_crossing_is_interpolated_between_two_iterations():
    found = crossing([10.0, 8.0, 4.0, 3.0], [0.0, 2.0, 3.0, 4.0], 5.0)
    assert found.iterations == AtLeast(1.75)  # three quarters of the way from 8 to 4
    assert found.seconds == AtLeast(2.75)


def test_an_iteration_that_is_just_as_low_counts():
    assert crossing([10.0, 8.0, 4.0], [0.0, 1.0, 2.0], 4.0).iterations == AtLeast(2.0)


def test_a_start_that_is_low_enough_is_zero_iterations():
    assert crossing([3.0, 2.0], [0.0, 1.0], 5.0) == (AtLeast(0.0), AtLeast(0.0))


def test_the_best_so_far_counts_where_the_objective_rises_again():
    # From the best so far, 6, not from the 9 just before: (6 - 5) / (6 - 4).
    assert crossing([10.0, 6.0, 9.0, 4.0], [0, 1, 2, 3], 5.0).iterations == AtLeast(2.5)


def test_a_level_that_is_not_reached_is_more_than_all_iterations():
    found = crossing([10.0, 8.0, 7.0], [0.0, 1.5, 3.0], 5.0)
    assert found == (AtLeast(2.0, exact=False), AtLeast(3.0, exact=False))
    assert str(found.iterations) == "> 2.0"


def test_quartiles_of_exact_numbers_are_numpys():
    values = np.random.default_rng(0).uniform(1, 300, 10)
    found = quartiles([AtLeast(value) for value in values])
    np.testing.assert_allclose([one.value for one in found], np.quantile(values, [0.25, 0.5, 0.75]))
    assert all(one.exact for one in found)


def test_a_run_that_never_got_there_leaves_the_median_exact_and_opens_the_upper_quartile():
    lower, median, upper = quartiles([AtLeast(80.0), AtLeast(300.0, False), AtLeast(100.0)])
    assert (lower, median) == (AtLeast(90.0), AtLeast(100.0))
    assert upper == AtLeast(200.0, False)


def test_where_most_runs_never_got_there_the_median_is_a_bound():
    values = [AtLeast(120.0), AtLeast(300.0, False), AtLeast(300.0, False)]
    assert quartiles(values)[1] == AtLeast(300.0, False)


def test_a_low_bound_opens_the_quartiles_that_its_true_value_could_move():
    # More than 50 may be 60 or 500: the median is 80 or 100, and certainly not 50.
    lower, median, upper = quartiles([AtLeast(50.0, False), AtLeast(80.0), AtLeast(100.0)])
    assert (lower.exact, median, upper.exact) == (False, AtLeast(80.0, False), False)


def test_one_image_is_its_own_median():
    assert quartiles([AtLeast(7.5)]) == (AtLeast(7.5),) * 3


def test_a_ratio_keeps_the_bound():
    assert ratio(AtLeast(30.0, False), 0.5) == AtLeast(60.0, False)


@pytest.mark.parametrize(
    ("number", "text"),
    [(AtLeast(84.4), "84"), (AtLeast(3.14), "3.1"), (AtLeast(0.0), "0"), (AtLeast(9.97, False), "> 10")],
)
def test_numbers_as_they_are_printed(number, text):
    assert str(number) == text
