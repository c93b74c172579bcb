from faststyle.progress_bar import ProgressBar


def test_in_a_file_there_is_a_line_at_the_start_and_one_at_the_end(capsys):
    with ProgressBar(total=500, unit="step") as bar:
        for step in range(500):
            bar.set_postfix(loss=step, refresh=False)
            bar.update()
    error = capsys.readouterr().err
    assert "\r" not in error
    first, last = filter(None, error.splitlines())
    assert "0/500" in first
    assert "500/500" in last
    assert "loss=499" in last


def test_on_a_terminal_the_bar_is_drawn_over_itself(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with ProgressBar(total=2) as bar:
        bar.update(2)
    assert capsys.readouterr().err.count("\r") >= 2
