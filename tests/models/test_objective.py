import re

import numpy as np
import pytest
import tensorflow as tf

from faststyle.models.loss_network import LossNetwork
from faststyle.models.losses import STATISTICS
from faststyle.models.objective import Objective, ObjectiveSettings, mix_style_targets

CONTENT_LAYERS = {"relu1_1": 3, "relu2_2": 1}
STYLE_LAYERS = {"rgb": 1, "relu1_2": 1, "relu2_2": 2}


@pytest.fixture(scope="module")
def network():
    return LossNetwork("vgg16", layers=["relu2_2"])


def smooth_images(shape, seed):
    """Random images in 0..255 with structure at more than one scale, the channels correlated as in photographs."""
    batch, height, width, _ = shape
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (batch, -(-height // 8), -(-width // 8), 3)).repeat(8, axis=1).repeat(8, axis=2)
    fine = random.normal(0, 20, (batch, height, width, 1))
    return np.clip(coarse[:, :height, :width] + fine, 0, 255).astype("float32")


STYLIZED = smooth_images((2, 24, 32, 3), seed=0)
CONTENT = smooth_images((2, 24, 32, 3), seed=1)
STYLE = smooth_images((1, 40, 28, 3), seed=2)


def settings(**changes):
    chosen = {"content_layers": CONTENT_LAYERS, "style_layers": STYLE_LAYERS, "statistic": "covariance"}
    return ObjectiveSettings(**{**chosen, "content_weight": 0.5, "style_weight": 2.0, "tv_weight": 7.0, **changes})


def terms(objective, stylized=STYLIZED, content=CONTENT, style=STYLE):
    return objective.terms(stylized, objective.content_targets(content), objective.style_targets(style))


def numpy_features(network, image, name):
    if name == "rgb":
        return image.astype("float64") / 255
    return np.asarray(network.features(image, [name])[name], "float64")


def numpy_statistics(features, statistic):
    flat = features.reshape(len(features), -1, features.shape[-1])
    mean = flat.mean(axis=1, keepdims=True)
    if statistic == "gram":
        return [np.einsum("bpc,bpd->bcd", flat, flat) / flat.shape[1]]
    return [mean, np.einsum("bpc,bpd->bcd", flat - mean, flat - mean) / flat.shape[1]]


def numpy_error(values, targets):
    axes = tuple(range(1, targets.ndim))
    return np.sum((values - targets) ** 2, axis=axes) / np.sum(targets**2, axis=axes)


def numpy_color_error(mean, covariance, target_mean, target_covariance):
    precision = np.linalg.inv(target_covariance + 0.03**2 * np.eye(3))
    whitened, shift = precision @ (covariance - target_covariance), mean - target_mean
    traces = np.trace(whitened @ whitened, axis1=1, axis2=2)
    return (traces + (shift @ precision @ shift.transpose(0, 2, 1))[:, 0, 0]) / 3


def numpy_terms(network, statistic):
    content = sum(
        weight / 4 * numpy_error(*(numpy_features(network, image, name) for image in (STYLIZED, CONTENT)))
        for name, weight in CONTENT_LAYERS.items()
    )
    style = np.zeros(2)
    for name, weight in STYLE_LAYERS.items():
        values, targets = (
            numpy_statistics(numpy_features(network, image, name), statistic) for image in (STYLIZED, STYLE)
        )
        if (name, statistic) == ("rgb", "covariance"):
            style += weight / 4 * numpy_color_error(*values, *targets)
        else:
            style += weight / 4 * sum(numpy_error(*pair) for pair in zip(values, targets, strict=True))
    unit = STYLIZED.astype("float64") / 255
    tv = np.mean(np.diff(unit, axis=1) ** 2) + np.mean(np.diff(unit, axis=2) ** 2)
    return {"content": content.mean(), "style": style.mean(), "tv": tv}


@pytest.mark.parametrize("statistic", STATISTICS)
def test_terms_are_their_definitions_and_the_total_their_weighted_sum(network, statistic):
    actual = terms(Objective(network, settings(statistic=statistic)))
    expected = numpy_terms(network, statistic)
    total = 0.5 * expected["content"] + 2.0 * expected["style"] + 7.0 * expected["tv"]
    assert set(actual) == {"total", "content", "style", "tv"}
    for name, value in {**expected, "total": total}.items():
        assert actual[name].shape == ()
        np.testing.assert_allclose(actual[name], value, rtol=1e-3, err_msg=name)


def test_total_by_hand_for_pixels_alone(network):
    # Pixels 51 and 102 of 255: 0.2 and 0.4; the content is 102 everywhere, the style white.
    stylized = np.full((1, 4, 4, 3), 51, "float32")
    stylized[:, 2:] = 102
    pixels = settings(content_layers={"rgb": 1}, style_layers={"rgb": 1}, statistic="gram")
    actual = terms(
        Objective(network, pixels), stylized, np.full((1, 4, 4, 3), 102, "float32"), np.full((1, 4, 4, 3), 255, "f")
    )
    content = (0.2**2 / 2) / 0.4**2
    gram = (0.2**2 + 0.4**2) / 2
    style = (gram - 1) ** 2
    tv = 0.2**2 * 4 / 12
    total = 0.5 * content + 2 * style + 7 * tv
    expected = {"content": content, "style": style, "tv": tv, "total": total}
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, rtol=1e-5, err_msg=name)


def test_terms_of_a_batch_are_the_mean_of_its_images(network):
    objective = Objective(network, settings())
    together = terms(objective)
    apart = [terms(objective, STYLIZED[i : i + 1], CONTENT[i : i + 1]) for i in range(2)]
    for name in together:
        np.testing.assert_allclose(together[name], (apart[0][name] + apart[1][name]) / 2, rtol=1e-4)


def test_layer_weights_only_count_by_their_ratio(network):
    tenfold = (
        {name: 10 * weight for name, weight in CONTENT_LAYERS.items()},
        {"rgb": 0.1, "relu1_2": 0.1, "relu2_2": 0.2},
    )
    scaled = terms(Objective(network, settings(content_layers=tenfold[0], style_layers=tenfold[1])))
    plain = terms(Objective(network, settings()))
    other = terms(Objective(network, settings(content_layers={"relu1_1": 1, "relu2_2": 3})))
    for name in plain:
        np.testing.assert_allclose(scaled[name], plain[name], rtol=1e-5)
    assert abs(float(other["content"] / plain["content"]) - 1) > 0.01


def test_content_itself_has_no_content_error_and_the_style_itself_no_style_error(network):
    objective = Objective(network, settings())
    actual = terms(objective, stylized=CONTENT, style=CONTENT)
    assert float(actual["content"]) == 0
    assert float(actual["style"]) < 1e-8
    assert float(actual["tv"]) > 0


def test_terms_are_the_same_inside_tf_function(network):
    objective = Objective(network, settings())
    any_size = tf.TensorSpec([None, None, None, 3])
    traced = tf.function(lambda *images: terms(objective, *images), input_signature=[any_size] * 3)
    for name, value in terms(objective).items():
        np.testing.assert_allclose(traced(STYLIZED, CONTENT, STYLE)[name], value, rtol=1e-4, err_msg=name)


def test_terms_are_float32_when_the_loss_network_computes_in_bfloat16(network):
    exact = terms(Objective(network, settings()))
    half = terms(Objective(LossNetwork("vgg16", layers=["relu2_2"], dtype="mixed_bfloat16"), settings()))
    for name, value in half.items():
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, exact[name], rtol=0.05, err_msg=name)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_gradient_of_the_total_is_that_of_finite_differences(network, statistic):
    objective = Objective(network, settings(statistic=statistic))
    content, style = objective.content_targets(CONTENT[:1, :16, :20]), objective.style_targets(STYLE)
    image = tf.constant(STYLIZED[:1, :16, :20])
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = objective.terms(image, content, style)["total"]
    gradient = tape.gradient(total, image).numpy()

    pixels = [np.unravel_index(i, gradient.shape) for i in np.argsort(-np.abs(gradient), axis=None)[:40:10]]
    for pixel in pixels:
        step = np.zeros_like(gradient)
        step[pixel] = 0.5
        above, below = (float(objective.terms(image + sign * step, content, style)["total"]) for sign in (1, -1))
        np.testing.assert_allclose(gradient[pixel], above - below, rtol=0.03, err_msg=str(pixel))


def test_no_gradient_flows_back_to_the_content_image(network):
    objective = Objective(network, settings())
    content = tf.constant(CONTENT)
    with tf.GradientTape() as tape:
        tape.watch(content)
        total = objective.terms(STYLIZED, objective.content_targets(content), objective.style_targets(STYLE))["total"]
    assert tape.gradient(total, content) is None


def test_one_hot_mixture_picks_a_style_and_half_and_half_averages(network):
    styles = smooth_images((3, 24, 20, 3), seed=3)
    targets = Objective(network, settings()).style_targets(styles)
    mixture = np.array([[0, 0, 1], [0.5, 0.5, 0]], "float32")
    mixed = mix_style_targets(targets, mixture)
    assert {layer: set(parts) for layer, parts in mixed.items()} == {
        name: {"mean", "covariance"} for name in STYLE_LAYERS
    }
    for layer, parts in mixed.items():
        for part, rows in parts.items():
            first, second, third = targets[layer][part].numpy()
            assert np.abs(first - second).max() > 0
            np.testing.assert_allclose(rows[0], third, rtol=1e-5, err_msg=f"{layer} {part}")
            np.testing.assert_allclose(rows[1], (first + second) / 2, rtol=1e-4, atol=1e-5, err_msg=f"{layer} {part}")


def test_mixed_targets_measure_each_image_against_its_own_style(network):
    objective = Objective(network, settings())
    styles = smooth_images((2, 24, 32, 3), seed=3)
    targets = objective.style_targets(styles)
    content = objective.content_targets(CONTENT)
    swapped = mix_style_targets(targets, np.array([[0, 1], [1, 0]], "float32"))
    assert float(objective.terms(styles[::-1], content, swapped)["style"]) < 1e-8
    assert float(objective.terms(styles, content, swapped)["style"]) > 0.01


def test_mix_style_targets_is_the_same_inside_tf_function(network):
    targets = Objective(network, settings()).style_targets(smooth_images((3, 24, 20, 3), seed=3))
    mixture = np.array([[0.2, 0.3, 0.5]], "float32")
    traced = tf.function(lambda mixture: mix_style_targets(targets, mixture))
    tf.nest.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
        mix_style_targets(targets, mixture),
        traced(mixture),
    )


@pytest.mark.parametrize("name", ["content_weight", "style_weight", "tv_weight"])
@pytest.mark.parametrize("weight", [-0.5, float("nan")])
def test_weight_below_zero_or_nan_is_named(name, weight):
    with pytest.raises(ValueError, match=f"{name} must be 0 or more, got {weight}"):
        settings(**{name: weight})


def test_objective_without_any_weight_is_an_error():
    with pytest.raises(ValueError, match="content_weight and style_weight are both 0: nothing to learn"):
        settings(content_weight=0, style_weight=0)
    assert settings(content_weight=0).style_weight == 2.0


def test_unknown_statistic_is_named_with_the_choices():
    with pytest.raises(ValueError, match="unknown style statistic 'mean'; choose one of gram, covariance"):
        settings(statistic="mean")


@pytest.mark.parametrize("kind", ["content", "style"])
@pytest.mark.parametrize("layers", [{}, {"rgb": 0}, {"rgb": 2, "relu1_1": -1}])
def test_layers_without_a_positive_weight_are_named(kind, layers):
    message = f"{kind} layers need weights of 0 or more with a positive sum, got {layers}"
    with pytest.raises(ValueError, match=re.escape(message)):
        settings(**{f"{kind}_layers": layers})


@pytest.mark.parametrize("kind", ["content", "style"])
def test_layer_that_the_loss_network_lacks_is_named(network, kind):
    with pytest.raises(
        ValueError,
        match="loss network 'vgg16' has no layer 'relu3_4'; choose from rgb, relu1_1, ",
    ):
        Objective(network, settings(**{f"{kind}_layers": {"relu1_1": 1, "relu3_4": 1}}))


def test_activation_shift_compares_gram_matrices_of_shifted_features(network):
    shifted = Objective(network, settings(statistic="gram", activation_shift=-1.0, style_layers={"relu2_2": 1}))

    def gram(image):
        features = np.asarray(network.features(image, ("relu2_2",))["relu2_2"], "float64") - 1.0
        flat = features.reshape(len(features), -1, features.shape[-1])
        return np.einsum("bpi,bpj->bij", flat, flat) / flat.shape[1]

    target = gram(STYLE)
    expected = np.mean(np.sum((gram(STYLIZED) - target) ** 2, axis=(1, 2)) / np.sum(target**2))
    assert float(terms(shifted)["style"]) == pytest.approx(expected, rel=1e-4)


def test_layer_behind_the_end_of_the_loss_network_is_named(network):
    for layers in ({"content_layers": {"relu3_1": 1}}, {"histogram_layers": {"relu3_1": 1}, "histogram_weight": 1.0}):
        with pytest.raises(ValueError, match="this loss network ends at 'relu2_2', before 'relu3_1'"):
            Objective(network, settings(**layers))


def test_layers_are_those_of_terms_with_a_weight():
    chosen = settings(histogram_layers={"relu4_1": 1, "relu1_2": 1})
    assert chosen.layers() == ("relu1_1", "relu2_2", "rgb", "relu1_2")
    with_histogram = settings(histogram_layers={"relu4_1": 1, "relu1_2": 1}, histogram_weight=0.5)
    assert with_histogram.layers() == ("relu1_1", "relu2_2", "rgb", "relu1_2", "relu4_1")
