import os

import pytest

from faststyle.infer.network.runtimes import load_graph


@pytest.fixture
def compiled_graphs(tmp_path, monkeypatch):
    """The folder of compiled graphs, with 15 of them: number 0 was used last, number 14 longest ago."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    for hours in range(15):
        folder = tmp_path / "openvino" / f"{hours:02d}"
        folder.mkdir(parents=True)
        (folder / "graph.blob").write_bytes(b"compiled")
        os.utime(folder, (1e9 - 3600 * hours, 1e9 - 3600 * hours))
    return tmp_path / "openvino"


def test_only_the_twelve_compiled_graphs_used_last_are_kept(compiled_graphs, one_style):
    load_graph(one_style, runtime="openvino")
    old = [f"{hours:02d}" for hours in range(11)]
    assert len(list(compiled_graphs.iterdir())) == 12
    assert sorted(path.name for path in compiled_graphs.iterdir() if path.name in old) == old


def test_a_graph_loaded_again_counts_as_used_last(compiled_graphs, one_style):
    load_graph(one_style, runtime="openvino")
    (ours,) = [path for path in compiled_graphs.iterdir() if len(path.name) > 2]
    os.utime(ours, (0, 0))
    (compiled_graphs / "new").mkdir()
    load_graph(one_style, runtime="openvino")
    assert ours.is_dir()
    assert len(list(compiled_graphs.iterdir())) == 12
