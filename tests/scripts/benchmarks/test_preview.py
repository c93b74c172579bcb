from faststyle.scripts.benchmarks.preview import preview_table


def test_both_shapes_of_photo_are_timed_and_sending_takes_longer_than_painting():
    table = preview_table(rounds=1)
    assert [row[0] for row in table.rows] == ["512x512", "512x384"]
    for _, painted, sent, least, target in table.rows:
        assert 0 < painted.value < sent.value == least.value
        assert target in ("under 150 ms: met", "under 150 ms: not met")
