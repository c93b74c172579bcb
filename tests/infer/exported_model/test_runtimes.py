import contextlib
import math
import os
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from faststyle.infer.exported_model.runtimes import RuntimeChoiceError, load_graph

FORK = """
    import os, sys
    from pathlib import Path
    import numpy as np
    from faststyle.infer.exported_model.runtimes import RuntimeChoiceError, load_graph

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
    """The folder of compiled graphs, with 25 of them: number 0 was used last, number 24 longest ago."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    for hours in range(25):
        folder = tmp_path / "openvino" / f"{hours:02d}"
        folder.mkdir(parents=True)
        (folder / "graph.blob").write_bytes(b"compiled")
        os.utime(folder, (1e9 - 3600 * hours, 1e9 - 3600 * hours))
    return tmp_path / "openvino"


def test_only_the_twenty_compiled_graphs_used_last_are_kept(compiled_graphs, one_style):
    load_graph(one_style, runtime="openvino")
    old = [f"{hours:02d}" for hours in range(19)]
    assert len(list(compiled_graphs.iterdir())) == 20
    assert sorted(path.name for path in compiled_graphs.iterdir() if path.name in old) == old


@pytest.mark.parametrize("runtime", ["openvino", "tensorflow"])
def test_a_graph_of_other_inputs_is_a_damaged_model(one_style, runtime):
    graph = load_graph(one_style, runtime=runtime)
    with pytest.raises(RuntimeChoiceError, match=rf"{one_style}: damaged model \(.*picture"):
        graph({"picture": np.zeros((1, 32, 32, 3), "float32")})


def test_a_graph_without_our_signature_is_a_damaged_model(tmp_path):
    tf = pytest.importorskip("tensorflow")
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(RuntimeChoiceError, match=rf"{tmp_path}: damaged model \('serving_default'\)"):
        load_graph(tmp_path, runtime="tensorflow")
    with pytest.raises(RuntimeChoiceError, match=f"{tmp_path}: damaged model"):
        load_graph(tmp_path, runtime="openvino")({"image": np.zeros((1, 16, 16, 3), "float32")})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("runtime", ["openvino", "tensorflow"])
def test_variables_that_would_never_end_are_refused_unread(one_style, tmp_path, runtime):
    model = shutil.copytree(one_style, tmp_path / "model")
    pipe = model / "variables" / "variables.data-00001-of-00002"
    os.mkfifo(pipe)
    with pytest.raises(RuntimeChoiceError, match=rf"{pipe}: damaged model \(no file\)"):
        load_graph(model, runtime=runtime)


def test_openvino_runs_no_graph_that_writes_files(tmp_path):
    tf = pytest.importorskip("tensorflow")
    module, written = tf.Module(), tmp_path / "written"

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32, name="image")])
    def serve(image):
        tf.io.write_file(str(written), "by a model")
        return {"stylized_image": image}

    tf.saved_model.save(module, str(tmp_path / "model"), signatures=serve)
    image = {"image": np.zeros((1, 16, 16, 3), "float32")}
    with contextlib.suppress(RuntimeChoiceError):  # or it leaves the writing out
        load_graph(tmp_path / "model", runtime="openvino")(image)
    assert not written.exists()
    load_graph(tmp_path / "model", runtime="tensorflow")(image)
    assert written.read_text() == "by a model"


def test_a_graph_loaded_again_counts_as_used_last(compiled_graphs, one_style):
    load_graph(one_style, runtime="openvino")
    (ours,) = [path for path in compiled_graphs.iterdir() if len(path.name) > 2]
    os.utime(ours, (0, 0))
    (compiled_graphs / "new").mkdir()
    load_graph(one_style, runtime="openvino")
    assert ours.is_dir()
    assert len(list(compiled_graphs.iterdir())) == 20


@pytest.mark.parametrize("cached", [True, False])
def test_a_graph_compiled_for_an_images_size_paints_what_that_for_all_sizes_does(
    two_styles, tmp_path, monkeypatch, cached
):
    place = tmp_path / "cache" if cached else tmp_path / "no_folder"
    place.touch() if not cached else None
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(place))
    if cached:  # the graph of one size goes before that of the next one comes
        monkeypatch.setattr("faststyle.infer.exported_model.runtimes.SIZED_FROM_PIXELS", 3000)
    options = {"runtime": "openvino", "precision": "float32"}
    flexible = load_graph(two_styles, sized_from_pixels=math.inf, **options)
    sized = load_graph(two_styles, sized_from_pixels=40 * 60, **options)
    random = np.random.default_rng(0)
    for height, width in ((40, 60), (61, 43), (40, 60), (16, 20), (61, 43)):
        image = random.uniform(0, 255, (1, height, width, 3)).astype("float32")
        for mixture in ([0.3, 0.7], [1, 0]):
            inputs = {"image": image, "style_mixture": np.array([mixture], "float32")}
            np.testing.assert_allclose(sized(inputs), flexible(inputs), atol=0.02)
    assert len(list(place.glob("openvino/*/graph.xml"))) == cached


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
