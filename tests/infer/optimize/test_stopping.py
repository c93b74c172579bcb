from faststyle.infer.optimize.stopping import StopRules


def reasons(rules, totals):
    return [rules.reason(total) for total in totals]


def test_iterations_end_the_run():
    assert reasons(StopRules(iterations=3), [3, 2, 1]) == [None, None, "iterations"]


def test_the_time_limit_counts_from_the_start():
    times = iter([10.0, 14.9, 15.0])
    rules = StopRules(iterations=99, time_limit=5, clock=lambda: next(times))
    assert reasons(rules, [3, 2]) == [None, "time limit"]


def test_too_little_improvement_over_the_window_ends_the_run():
    rules = StopRules(iterations=99, min_improvement=10, window=2)
    # 100 to 80 is 20 percent, 90 to 75 is 17, 80 to 73 is 9.
    assert reasons(rules, [100, 90, 80, 75, 73]) == [None, None, None, None, "too little improvement"]


def test_a_worse_total_does_not_count_as_the_best():
    rules = StopRules(iterations=99, min_improvement=1, window=1)
    assert reasons(rules, [100, 120]) == [None, "too little improvement"]
