import io
import json

import keras
import numpy as np
import pytest

from faststyle.models.transform_net import build_transform_network
from faststyle.models.transform_net_weights import (
    TransformWeights,
    TransformWeightsError,
    assign_weights,
    mix_styles,
    network_arrays,
    pack_transform_weights,
    read_transform_weights,
    start_from,
)

CARD = {"styles": ["wave", "ÉTOILE"], "steps": 12, "nested": {"width": 0.125}}


def tiny_network(num_styles=2, *, width=0.125, seed=0):
    """A random network whose every variable differs from its initial value."""
    network = build_transform_network(num_styles=num_styles, width=width)
    random = np.random.default_rng(seed)
    for variable in network.variables:
        variable.assign(random.normal(0.2, 0.5, variable.shape))
    return network


def is_table(path):
    return path.endswith(("/scale", "/shift", "/gain", "/matrix", "/offset"))


def is_output(path):
    return path.startswith(("output_conv/", "colors/"))


def stylize(network, style):
    """One random image by one of the network's styles, in -1..1."""
    image = np.random.default_rng(2).uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    mixture = np.eye(network.get_layer("colors").num_styles, dtype="float32")[[style]]
    return np.asarray(network([image, mixture])) / 127.5 - 1.0


def write_npz(path, arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    path.write_bytes(buffer.getvalue())
    return path


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture(scope="module")
def packed(network):
    return pack_transform_weights(network, CARD)


def test_arrays_are_named_by_layer_and_variable(network):
    arrays = network_arrays(network)
    assert len(arrays) == len(network.weights)
    assert arrays["encode1_conv/kernel"].shape == (9, 9, 3, 4)
    assert arrays["residual5_2_norm/shift"].shape == (2, 16)
    assert arrays["output_conv/bias"].shape == (3,)
    np.testing.assert_array_equal(arrays["encode2_norm/scale"], network.get_layer("encode2_norm").scale)


def test_what_is_packed_is_read_and_assigned_unchanged(network, packed, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(packed)
    weights = read_transform_weights(path)
    assert weights.card == CARD
    assert weights.num_styles == 2
    assert weights.width == 0.125
    other = tiny_network(seed=1)
    assign_weights(other, weights.arrays)
    for path, array in network_arrays(network).items():
        np.testing.assert_array_equal(weights.arrays[path], array)
        np.testing.assert_array_equal(network_arrays(other)[path], array)


def test_float16_file_is_half_as_large_and_keeps_three_digits(network, packed, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(pack_transform_weights(network, CARD, dtype="float16"))
    weights = read_transform_weights(path)
    assert {array.dtype.name for array in weights.arrays.values()} == {"float16"}
    array_bytes = sum(array.nbytes for array in network_arrays(network).values())
    assert len(packed) - path.stat().st_size == array_bytes // 2
    other = tiny_network(seed=1)
    assign_weights(other, weights.arrays)
    for path, array in network_arrays(other).items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, network_arrays(network)[path], rtol=1e-3, atol=1e-6)


def test_weights_do_not_depend_on_the_name_of_the_network(network):
    config = {**network.get_config(), "name": "another_name"}
    renamed = keras.Model.from_config(config)
    assign_weights(renamed, network_arrays(network))
    np.testing.assert_array_equal(renamed.get_weights()[0], network.get_weights()[0])


@pytest.mark.parametrize("styles", [["one", "two", "three"], ["sea"]])
def test_other_styles_start_from_the_mean_style_on_the_same_trunk(network, packed, tmp_path, styles):
    path = tmp_path / "weights.npz"
    path.write_bytes(packed)
    started = tiny_network(num_styles=len(styles), seed=1)
    start_from(started, read_transform_weights(path), styles)
    source = network_arrays(network)
    for path, array in network_arrays(started).items():
        if is_table(path) and not is_output(path):
            first, second = source[path]
            np.testing.assert_allclose(array, [(first + second) / 2] * len(styles), rtol=1e-5, atol=1e-6)
        elif not is_output(path):
            np.testing.assert_array_equal(array, source[path])


def test_a_style_held_by_name_starts_from_its_own_row_and_the_photo_is_no_style(network, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(pack_transform_weights(network, {"styles": ["wave", "photo"], "identity_style": "photo"}))
    started = tiny_network(num_styles=3, seed=1)
    start_from(started, read_transform_weights(path), ["photo", "sea", "wave"])
    for path, array in network_arrays(started).items():
        if is_table(path) and not is_output(path):
            wave, photo = network_arrays(network)[path]
            np.testing.assert_allclose(array, [photo, wave, wave], rtol=1e-5, atol=1e-6)


def test_the_very_same_styles_start_from_their_own_rows(network, packed, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(packed)
    started = tiny_network(seed=1)
    start_from(started, read_transform_weights(path), ("wave", "ÉTOILE"))
    for path, array in network_arrays(started).items():
        if not is_output(path):
            np.testing.assert_array_equal(array, network_arrays(network)[path])


def test_maps_of_colors_are_composed_with_the_last_convolution(network, packed, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(packed)
    started = tiny_network(num_styles=1, seed=1)
    start_from(started, read_transform_weights(path), ["wave"])
    colors = network_arrays(started)
    np.testing.assert_array_equal(colors["colors/matrix"], np.eye(3)[None])
    np.testing.assert_array_equal(colors["colors/offset"], np.zeros((1, 3)))
    np.testing.assert_allclose(stylize(started, 0), stylize(network, 0), rtol=1e-4, atol=1e-4)


def test_several_styles_start_from_the_mean_of_their_maps_of_colors(network, packed, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(packed)
    started = tiny_network(seed=1)
    start_from(started, read_transform_weights(path), ("wave", "ÉTOILE"))
    colors = network.get_layer("colors")
    first, second = np.asarray(colors.matrix)
    kernel = np.asarray(network.get_layer("output_conv").kernel)
    np.testing.assert_allclose(
        network_arrays(started)["output_conv/kernel"], kernel @ ((first + second) / 2).T, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(network_arrays(started)["colors/matrix"], [np.eye(3)] * 2)


def test_the_photos_own_row_keeps_its_colors(network, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(pack_transform_weights(network, {"styles": ["wave", "photo"], "identity_style": "photo"}))
    started = tiny_network(num_styles=2, seed=1)
    start_from(started, read_transform_weights(path), ["sea", "photo"])
    for style in range(2):
        np.testing.assert_allclose(stylize(started, style), stylize(network, style), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colors/matrix": None}, "weights lack colors/matrix"),
        ({"output_conv/kernel": np.zeros((1, 1, 3, 3))}, "weights of output_conv/kernel are"),
        ({"colors/matrix": np.zeros((2, 3, 3))}, "weights of colors/matrix make all colors the same"),
    ],
    ids=["missing", "another shape", "no inverse"],
)
def test_start_from_damaged_weights_is_an_error(network, change, message):
    arrays = {path: array for path, array in {**network_arrays(network), **change}.items() if array is not None}
    with pytest.raises(TransformWeightsError, match=f"^{message}"):
        start_from(tiny_network(num_styles=1), TransformWeights(arrays, {"styles": ["a", "b"]}), ["wave"])


def test_start_from_a_network_of_another_width_is_an_error(packed, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(packed)
    message = "weights are of a network of width 0.125, this one has width 0.25; pass another --width"
    with pytest.raises(TransformWeightsError, match=message):
        start_from(tiny_network(num_styles=1, width=0.25), read_transform_weights(path), ["wave"])


def test_array_of_another_shape_is_named(network):
    message = r"weights of encode1_conv/kernel are \(9, 9, 3, 4\), the network's \(9, 9, 3, 8\); another --width"
    with pytest.raises(TransformWeightsError, match=message):
        assign_weights(tiny_network(width=0.25), network_arrays(network))


def test_mix_styles_blends_the_rows_of_the_tables_and_nothing_else():
    arrays = {
        "encode1_norm/scale": np.array([[1, 2], [3, 6]], "float16"),
        "encode1_norm/shift": np.array([[0, 4], [8, 0]], "float16"),
        "encode1_conv/kernel": np.array([[1, 2], [3, 4]], "float16"),
    }
    mixed = mix_styles(arrays, np.array([[0.25, 0.75]], "float32"))
    np.testing.assert_array_equal(mixed["encode1_norm/scale"], [[2.5, 5]])
    np.testing.assert_array_equal(mixed["encode1_norm/shift"], [[6, 1]])
    np.testing.assert_array_equal(mixed["encode1_conv/kernel"], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(arrays["encode1_norm/scale"], [[1, 2], [3, 6]])


def test_network_folded_to_one_mixture_paints_like_the_many_style_network(network):
    image = np.random.default_rng(2).uniform(0, 255, (1, 16, 24, 3)).astype("float32")
    mixture = np.array([[0.3, 0.7]], "float32")
    folded = tiny_network(num_styles=1, seed=1)
    assign_weights(folded, mix_styles(network_arrays(network), mixture))
    stylized = network([image, mixture])
    np.testing.assert_allclose(folded([image, np.ones((1, 1), "float32")]), stylized, atol=0.02)
    assert np.std(stylized) > 1


def test_missing_array_is_named(network):
    arrays = network_arrays(network)
    del arrays["residual3_1_conv/bias"]
    with pytest.raises(TransformWeightsError, match="weights lack residual3_1_conv/bias"):
        assign_weights(tiny_network(), arrays)


def test_another_number_of_styles_is_named(network):
    message = (
        r"weights of encode1_norm/scale are \(2, 4\), the network's \(3, 4\); another --width or number of styles\?"
    )
    with pytest.raises(TransformWeightsError, match=message):
        assign_weights(tiny_network(num_styles=3), network_arrays(network))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(TransformWeightsError, match=r"absent\.npz: no such weights file"):
        read_transform_weights(tmp_path / "absent.npz")


def test_folder_is_not_a_weights_file(tmp_path):
    with pytest.raises(TransformWeightsError, match="not a transform network's weights"):
        read_transform_weights(tmp_path)


@pytest.mark.parametrize("damage", ["empty", "text", "cut in half", "one byte changed"])
def test_file_that_is_no_npz_or_damaged_is_named(packed, tmp_path, damage):
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0xFF
    contents = {
        "empty": b"",
        "text": b"these are no weights\n" * 99,
        "cut in half": packed[: len(packed) // 2],
        "one byte changed": bytes(flipped),
    }
    path = tmp_path / "weights.npz"
    path.write_bytes(contents[damage])
    with pytest.raises(TransformWeightsError, match=r"weights\.npz: not a transform network's weights \(.+\)"):
        read_transform_weights(path)


@pytest.mark.parametrize("missing", ["card.json", "encode1_norm/scale", "encode1_conv/kernel"])
def test_npz_file_of_other_arrays_is_named(network, tmp_path, missing):
    arrays = {**network_arrays(network), "card.json": np.frombuffer(json.dumps(CARD).encode(), "uint8")}
    assert read_transform_weights(write_npz(tmp_path / "complete.npz", arrays)).card == CARD
    del arrays[missing]
    path = write_npz(tmp_path / "other.npz", arrays)
    with pytest.raises(TransformWeightsError, match=rf"other\.npz: not a transform network's weights \(.*{missing}"):
        read_transform_weights(path)


def test_single_npy_array_and_scalar_tables_are_no_weights_files(network, tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(TransformWeightsError, match=r"array\.npy: not a transform network's weights"):
        read_transform_weights(tmp_path / "array.npy")
    arrays = {**network_arrays(network), "card.json": np.frombuffer(b"{}", "uint8")}
    path = write_npz(tmp_path / "scalar.npz", {**arrays, "encode1_norm/scale": np.float32(1)})
    with pytest.raises(TransformWeightsError, match=r"scalar\.npz: not a transform network's weights"):
        read_transform_weights(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encode2_norm/shift": np.ones((1, 4), "float32")}, r"encode2_norm/shift is \(1, 4\) for 3 styles"),
        ({"encode2_norm/shift": np.float32(3)}, r"encode2_norm/shift is \(\) for 3 styles"),
        ({"encode2_conv/kernel": np.ones(3, "complex64")}, "encode2_conv/kernel is of complex64"),
        ({"card.json": np.frombuffer(b'{"styles": [1, 2, 3]}', "uint8")}, "its card's styles are no list of names"),
        ({"card.json": np.frombuffer(b'{"styles": ["a"]}', "uint8")}, "its card names 1 styles, it holds 3"),
    ],
)
def test_arrays_and_cards_that_no_network_has_are_not_a_weights_file(tmp_path, changes, words):
    arrays = network_arrays(tiny_network(num_styles=3))
    card = {"card.json": np.frombuffer(b'{"styles": ["a", "b", "c"]}', "uint8")}
    path = tmp_path / "weights.npz"
    np.savez(path, **(arrays | card))
    assert read_transform_weights(path).num_styles == 3
    np.savez(path, **(arrays | card | changes))
    with pytest.raises(TransformWeightsError, match=words):
        read_transform_weights(path)
