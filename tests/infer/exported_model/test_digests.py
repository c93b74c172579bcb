import shutil

import pytest

from faststyle.infer.exported_model.digests import DIGESTS_FILE, DamagedModelError, check_digests
from faststyle.infer.exported_model.runtimes import load_graph
from faststyle.infer.exported_model.tile_painter import MEASURING_GRAPH, PAINTING_GRAPH


@pytest.fixture
def model(two_styles, tmp_path):
    return shutil.copytree(two_styles, tmp_path / "model")


def test_an_export_has_digests_of_all_its_graphs(model):
    for graph in (model, model / PAINTING_GRAPH, model / MEASURING_GRAPH):
        assert (graph / DIGESTS_FILE).is_file()
        check_digests(graph)


@pytest.mark.parametrize("runtime", ["openvino", "tensorflow"])
@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_a_damaged_file_is_named_before_a_runtime_reads_it(model, name, runtime):
    content = bytearray((model / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / name).write_bytes(content)
    with pytest.raises(DamagedModelError, match=rf"{model}: damaged model \({name} has changed\)"):
        load_graph(model, runtime=runtime)


def test_a_missing_file_is_damage(model):
    (model / "variables" / "variables.index").unlink()
    with pytest.raises(DamagedModelError, match="a file is missing"):
        check_digests(model)


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000])
def test_digests_that_make_no_sense_are_damage(model, content):
    (model / DIGESTS_FILE).write_text(content)
    with pytest.raises(DamagedModelError, match="damaged model"):
        check_digests(model)


def test_a_graph_of_another_program_has_none_and_passes(model):
    (model / DIGESTS_FILE).unlink()
    check_digests(model)
