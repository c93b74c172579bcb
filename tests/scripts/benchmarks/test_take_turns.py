from faststyle.scripts.benchmarks.take_turns import take_turns


def test_variants_take_turns_after_one_warm_up_each():
    calls = []
    take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b", "a", "b", "a", "b"]


def test_slower_variant_has_the_larger_median():
    seconds = take_turns({"none": lambda: None, "work": lambda: sum(range(300_000))}, rounds=3)
    assert seconds["work"] > seconds["none"]
