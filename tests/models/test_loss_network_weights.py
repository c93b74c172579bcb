import importlib
import io
import urllib.error
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from models.loss_network_weights import (
    COMPACT_WEIGHTS,
    LossNetworkWeightsError,
    imagenet_cache_path,
    imagenet_weights_file_name,
    load_compact_weights,
    load_imagenet_weights,
)

VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
WAYS_OUT = rf"connect to the internet once, or pass {VGG16_FILE} with --vgg-weights FILE, or use --loss-network compact"


def random_imagenet_model(name):
    """`keras.applications`' own model without its classifier, every kernel and bias random."""
    model = getattr(keras.applications, {"vgg16": "VGG16", "vgg19": "VGG19"}[name])(include_top=False, weights=None)
    random = np.random.default_rng(5)
    for layer in model.layers:
        if layer.weights:
            kernel, bias = (random.standard_normal(weight.shape, "float32") for weight in layer.weights)
            layer.set_weights([kernel * np.sqrt(2 / kernel[..., 0].size, dtype="float32"), 10 * bias])
    return model


def write_imagenet_file(path, model):
    """Writes weights in the layout of the published no-top files: an HDF5 group per layer, names in attributes."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{kind}_1:0" for kind in "Wb"] if layer.weights else []
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, layer.get_weights(), strict=True):
                group[name] = array
    return path


@pytest.fixture(scope="module")
def random_vgg16():
    return random_imagenet_model("vgg16")


@pytest.fixture(scope="module")
def vgg16_file(random_vgg16, tmp_path_factory):
    path = write_imagenet_file(tmp_path_factory.mktemp("vgg16") / VGG16_FILE, random_vgg16)
    yield path
    path.unlink()  # pytest would keep these 59 MB


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty Keras cache. Keras reads KERAS_HOME when it is imported, so its own copy is changed as well."""
    home = tmp_path / "keras_home"
    home.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(home))
    monkeypatch.setattr(importlib.import_module("keras.src.backend.config"), "_KERAS_DIR", str(home))
    return home


class Downloads:
    """Takes the place of the internet: serves one file, or none, and notes what was asked for."""

    def __init__(self):
        self.source = None
        self.urls = []

    def __call__(self, url, target, reporthook=None):
        self.urls.append(url)
        if self.source is None:
            raise urllib.error.URLError("no route to host")
        Path(target).symlink_to(self.source)


@pytest.fixture
def downloads(monkeypatch):
    """No network; and Keras takes files whose checksum is not that of the published weights."""
    served = Downloads()
    file_utils = importlib.import_module("keras.src.utils.file_utils")
    monkeypatch.setattr(file_utils, "urlretrieve", served)
    monkeypatch.setattr(file_utils, "validate_file", lambda *_, **__: True)
    return served


def first_layers():
    """The first two convolutions of VGG: enough to see where weights come from."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(64, 3, name="block1_conv1")(image)
    return keras.Model(image, keras.layers.Conv2D(64, 3, name="block1_conv2")(x))


def assert_weights_are(model, source):
    for name in ("block1_conv1", "block1_conv2"):
        for actual, expected in zip(
            model.get_layer(name).get_weights(), source.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(actual, expected)


def test_imagenet_file_names_are_those_that_keras_publishes():
    assert imagenet_weights_file_name("vgg16") == VGG16_FILE
    assert imagenet_weights_file_name("vgg19") == "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"


def test_cache_lies_below_keras_home_or_else_in_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert imagenet_cache_path("vgg16") == tmp_path / "models" / VGG16_FILE
    monkeypatch.delenv("KERAS_HOME")
    assert imagenet_cache_path("vgg16") == Path.home() / ".keras" / "models" / VGG16_FILE


def test_file_is_loaded_without_cache_or_download(vgg16_file, random_vgg16, keras_home, downloads):
    model = first_layers()
    load_imagenet_weights(model, "vgg16", vgg16_file)
    assert_weights_are(model, random_vgg16)
    assert downloads.urls == []
    assert not imagenet_cache_path("vgg16").exists()


def test_cached_file_is_used_without_a_download(vgg16_file, random_vgg16, keras_home, downloads):
    cached = imagenet_cache_path("vgg16")
    assert cached.is_relative_to(keras_home)
    cached.parent.mkdir()
    cached.symlink_to(vgg16_file)
    model = first_layers()
    load_imagenet_weights(model, "vgg16", None)
    assert_weights_are(model, random_vgg16)
    assert downloads.urls == []


def test_file_is_downloaded_into_the_cache_when_it_is_in_neither_place(vgg16_file, random_vgg16, keras_home, downloads):
    downloads.source = vgg16_file
    model = first_layers()
    load_imagenet_weights(model, "vgg16", None)
    assert_weights_are(model, random_vgg16)
    assert [url.rsplit("/", 1)[-1] for url in downloads.urls] == [VGG16_FILE]
    assert imagenet_cache_path("vgg16").exists()


def test_without_cache_and_network_the_error_says_what_is_missing_where_and_the_ways_out(keras_home, downloads):
    message = (
        rf"vgg16 weights: {VGG16_FILE} is missing: not in {keras_home}/models, and the download failed "
        rf"\(.*no route to host\); {WAYS_OUT}"
    )
    with pytest.raises(LossNetworkWeightsError, match=message):
        load_imagenet_weights(first_layers(), "vgg16", None)
    assert len(downloads.urls) == 1


def test_missing_file_is_an_error_and_not_a_reason_to_look_elsewhere(vgg16_file, keras_home, downloads, tmp_path):
    downloads.source = vgg16_file
    for path in (tmp_path / "absent.h5", tmp_path):
        with pytest.raises(LossNetworkWeightsError, match=f"vgg16 weights: no file {path}; {WAYS_OUT}"):
            load_imagenet_weights(first_layers(), "vgg16", path)
    assert downloads.urls == []


@pytest.mark.parametrize("name", ["garbage.h5", "garbage.weights.h5", "garbage.bin"])
def test_file_that_holds_no_weights_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"these are no weights\n" * 99)
    with pytest.raises(LossNetworkWeightsError, match=rf"vgg16 weights: cannot read {path} \(.+\); {WAYS_OUT}"):
        load_imagenet_weights(first_layers(), "vgg16", path)


def test_file_of_another_network_is_named_with_the_difference(tmp_path):
    path = write_imagenet_file(tmp_path / "other.h5", first_layers())
    message = rf"vgg16 weights: cannot read {path} \(Layer count mismatch .*expected 13 layers, found 2"
    with pytest.raises(LossNetworkWeightsError, match=message):
        load_imagenet_weights(first_layers(), "vgg16", path)


def small_compact_model():
    image = keras.Input((None, None, 3))
    return keras.Model(image, keras.layers.Conv2D(32, 3, name="block1_conv1")(image))


def compact_bytes(**changes):
    random = np.random.default_rng(6)
    arrays = {
        "block1_conv1/kernel": random.normal(size=(3, 3, 3, 32)).astype("float16"),
        "block1_conv1/bias": random.normal(size=32).astype("float16"),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **{**arrays, **changes})
    return buffer.getvalue()


def test_shipped_compact_weights_take_at_most_8_megabytes():
    assert 1_000_000 < COMPACT_WEIGHTS.stat().st_size <= 8_000_000


def test_compact_weights_are_the_shipped_ones_unless_a_file_is_given():
    model = small_compact_model()
    load_compact_weights(model, None)
    with np.load(COMPACT_WEIGHTS) as arrays:
        np.testing.assert_array_equal(model.get_weights()[0], arrays["block1_conv1/kernel"])
        np.testing.assert_array_equal(model.get_weights()[1], arrays["block1_conv1/bias"])


def test_compact_weights_of_a_given_file_become_float32(tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(compact_bytes())
    model = small_compact_model()
    load_compact_weights(model, path)
    with np.load(path) as arrays:
        for actual, name in zip(model.get_weights(), ("kernel", "bias"), strict=True):
            assert actual.dtype == np.float32
            np.testing.assert_array_equal(actual, arrays[f"block1_conv1/{name}"])


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        (b"", "No data left in file"),
        (b"these are no weights\n" * 99, "pickle"),
        (compact_bytes()[:500], "not a zip file"),
        (compact_bytes().replace(b"block1_conv1/bias", b"block1_conv1/BIAS"), "block1_conv1/bias"),
        (compact_bytes(**{"block1_conv1/bias": np.zeros(16)}), r"\(32,\).*\(16,\)"),
    ],
    ids=["empty", "text", "cut short", "other name", "other shape"],
)
def test_compact_file_that_does_not_fit_is_named_with_the_reason(tmp_path, contents, reason):
    path = tmp_path / "weights.npz"
    path.write_bytes(contents)
    with pytest.raises(LossNetworkWeightsError, match=rf"compact weights: cannot read {path} \(.*{reason}.*\)"):
        load_compact_weights(small_compact_model(), path)


def test_missing_compact_file_is_named(tmp_path):
    path = tmp_path / "absent.npz"
    with pytest.raises(LossNetworkWeightsError, match=rf"compact weights: cannot read {path} \(.*No such file"):
        load_compact_weights(small_compact_model(), path)
