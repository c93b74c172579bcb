import os
import subprocess
import sys
import textwrap

import pytest

from faststyle.infer.network.runtimes import load_graph

FORK = """
    import os, sys
    from pathlib import Path
    import numpy as np
    from faststyle.infer.network.runtimes import RuntimeChoiceError, load_graph

    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype("float32")
    graphs = {name: load_graph(Path(sys.argv[1]), runtime=name) for name in ("openvino", "tensorflow")}
    before = {name: graph({"image": image}).copy() for name, graph in graphs.items()}
    child = os.fork()
    if child == 0:
        for name, graph in graphs.items():
            try:
                print(name, np.allclose(graph({"image": image}), before[name], atol=1), flush=True)
            except RuntimeChoiceError as error:
                print(name, type(error).__name__, flush=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""

MANY_SIZES = """
    from pathlib import Path
    import numpy as np
    from faststyle import load_stylizer

    stylizer, random = load_stylizer("starry_night", runtime="openvino"), np.random.default_rng(0)
    for count in range(1, 251):
        stylizer(np.zeros((*random.integers(20, 110, 2), 3), "uint8"))
        if count in (50, 250):
            print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
"""


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


def test_a_forked_process_goes_on_with_openvinos_graph_and_is_told_that_tensorflows_would_hang(one_style):
    script = [sys.executable, "-c", textwrap.dedent(FORK), str(one_style)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["openvino True", "tensorflow RuntimeChoiceError", "0"], done.stderr


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_sizes_seen():
    script = [sys.executable, "-c", textwrap.dedent(MANY_SIZES)]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    after_50, after_250 = map(int, done.stdout.split())
    assert after_250 - after_50 < 60e6  # with OpenVINO's own default some 130 MB
