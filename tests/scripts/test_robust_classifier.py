import keras
import numpy as np
import pytest
from keras import ops

from models.loss_network import MEAN_PIXEL, LossNetwork
from scripts import robust_classifier
from scripts.robust_classifier import (
    PIXEL_SCALE,
    FusedBatchNormalization,
    RobustClassifier,
    assign_folded_weights,
    attack_step,
    build_trunk,
    folded_weights,
)


def toy_inputs(*, epsilon=4.0, count=4):
    random = np.random.default_rng(0)
    return {
        "image": random.uniform(0, 255, (count, 32, 32, 3)).astype("float32"),
        "label": np.arange(count, dtype="int32") % 2,
        "epsilon": np.full(count, epsilon, "float32"),
        "allowed": np.tile(np.float32([1, 1, 0, 0, 0]), (count, 1)),
    }


def plain_convolutions(arrays, image):
    """The folded network by its definition: convolution, ReLU, average pooling between blocks."""
    x = ops.convert_to_tensor(image - np.float32(MEAN_PIXEL))
    for block, count in enumerate((2, 2, 3, 3, 3), start=1):
        if block > 1:
            x = ops.average_pool(x, 2)
        for conv in range(1, count + 1):
            name = f"block{block}_conv{conv}"
            x = ops.relu(ops.conv(x, arrays[f"{name}/kernel"], padding="same") + arrays[f"{name}/bias"])
    return np.asarray(x)


def test_folded_weights_compute_what_the_normalized_trunk_computes():
    keras.utils.set_random_seed(1)
    trunk = build_trunk(width=0.125, normalize=True)
    random = np.random.default_rng(2)
    for layer in trunk.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    image = random.uniform(0, 255, (2, 32, 48, 3)).astype("float32")
    expected = np.asarray(trunk(image, training=False))
    np.testing.assert_allclose(plain_convolutions(folded_weights(trunk), image), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("training", [True, False])
def test_fused_normalization_is_keras_normalization(training):
    features = np.random.default_rng(0).normal(3.0, 2.0, (2, 9, 7, 5)).astype("float32")
    fused, plain = FusedBatchNormalization(), keras.layers.BatchNormalization()
    for layer in (fused, plain):
        layer.build(features.shape)
        layer.set_weights([np.random.default_rng(1).uniform(0.5, 1.5, 5) for _ in range(4)])
    np.testing.assert_allclose(fused(features, training=training), plain(features, training=training), atol=1e-5)
    for one, other in zip(fused.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3)  # the fused kernel divides variances by one less


def test_fused_normalization_in_bfloat16_stays_close():
    features = np.random.default_rng(0).normal(3.0, 2.0, (2, 9, 7, 5)).astype("float32")
    half = FusedBatchNormalization(dtype="mixed_bfloat16")(features, training=True)
    assert half.dtype == "bfloat16"
    np.testing.assert_allclose(ops.cast(half, "float32"), FusedBatchNormalization()(features, training=True), atol=0.05)


def test_folding_and_assigning_gives_the_same_network_back():
    keras.utils.set_random_seed(1)
    trunk = build_trunk(width=0.125, normalize=False)
    other = build_trunk(width=0.125, normalize=False)
    assign_folded_weights(other, folded_weights(trunk))
    for one, two in zip(trunk.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_folded_half_width_weights_are_what_the_compact_loss_network_reads(tmp_path):
    keras.utils.set_random_seed(1)
    trunk = build_trunk(width=0.5, normalize=False)
    np.savez(tmp_path / "weights.npz", **folded_weights(trunk))
    image = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    feature = LossNetwork("compact", weights_path=tmp_path / "weights.npz").features(image, ("relu5_3",))["relu5_3"]
    np.testing.assert_allclose(np.asarray(feature), np.asarray(trunk(image)), rtol=1e-3, atol=1e-4)


def test_missing_arrays_are_named():
    with pytest.raises(ValueError, match="block1_conv1/kernel"):
        assign_folded_weights(build_trunk(width=0.125, normalize=False), {})


def test_the_trunk_sees_pixels_minus_their_mean_over_the_pixel_scale():
    trunk = build_trunk(width=0.125, normalize=False)
    scaling = next(layer for layer in trunk.layers if isinstance(layer, keras.layers.Rescaling))
    image = np.float32([[[[255, 0, 128]]]])
    np.testing.assert_allclose(scaling(image), (image - np.float32(MEAN_PIXEL)) / PIXEL_SCALE, rtol=1e-5)


def test_the_attack_of_a_linear_loss_moves_every_pixel_to_its_bound_along_the_slope():
    slope = np.random.default_rng(0).normal(size=(1, 6, 5, 3)).astype("float32")
    image = np.full((1, 6, 5, 3), 100.0, "float32")
    change = attack_step(lambda x: ops.sum(slope * x), ops.convert_to_tensor(image), ops.zeros_like(image), 4.0)
    np.testing.assert_allclose(change, 4.0 * np.sign(slope))


def test_the_attack_stays_within_pixels():
    image = np.float32([[[[0.0, 255.0, 254.0]]]])
    slope = np.float32([[[[-1.0, 1.0, 1.0]]]])
    change = attack_step(lambda x: ops.sum(slope * x), ops.convert_to_tensor(image), ops.zeros_like(image), 4.0)
    np.testing.assert_allclose(change, [[[[0.0, 0.0, 1.0]]]])


def give_random_heads(model: RobustClassifier) -> None:
    """Heads start from zero, where no image has a slope."""
    kernel, bias = model.heads.get_weights()
    model.heads.set_weights([np.random.default_rng(0).normal(size=kernel.shape), bias])


def test_untrained_heads_do_not_move_the_trunk():
    model = RobustClassifier(build_trunk(width=0.125, normalize=False), [2, 3])
    logits = np.asarray(model(toy_inputs()))
    np.testing.assert_array_equal(logits[:, :2], 0.0)


def test_the_attack_raises_the_loss_of_a_network():
    keras.utils.set_random_seed(0)
    model = RobustClassifier(build_trunk(width=0.125, normalize=False), [2, 3])
    inputs = {name: ops.convert_to_tensor(value) for name, value in toy_inputs().items()}
    model(inputs)
    give_random_heads(model)
    loss = model.classification_loss(inputs)
    change = attack_step(loss, inputs["image"], ops.zeros_like(inputs["image"]), 4.0)
    assert float(loss(inputs["image"] + change)) > float(loss(inputs["image"]))
    assert float(ops.max(ops.abs(change))) <= 4.0 + 1e-4


def test_classes_of_other_collections_get_no_probability():
    model = RobustClassifier(build_trunk(width=0.125, normalize=False), [2, 3])
    probabilities = np.asarray(ops.softmax(model(toy_inputs())))
    assert np.all(probabilities[:, 2:] < 1e-6)
    np.testing.assert_allclose(probabilities[:, :2].sum(axis=1), 1.0, atol=1e-5)


def test_training_sees_augmented_and_attacked_images_and_use_sees_them_as_they_are(monkeypatch):
    model = RobustClassifier(build_trunk(width=0.125, normalize=False), [2, 3])
    attacked, plain = toy_inputs(epsilon=8.0), toy_inputs(epsilon=0.0)
    model(attacked)
    give_random_heads(model)
    clean = np.asarray(model(plain))
    np.testing.assert_array_equal(np.asarray(model(attacked)), clean)
    assert np.abs(np.asarray(model(plain, training=True)) - clean).max() > 1e-3
    monkeypatch.setattr(robust_classifier, "augmented", lambda image, seed: image)
    np.testing.assert_allclose(np.asarray(model(plain, training=True)), clean, atol=1e-5)
    assert np.abs(np.asarray(model(attacked, training=True)) - clean).max() > 1e-3
