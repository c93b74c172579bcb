import math

import keras
import numpy as np
import pytest

from faststyle.models.loss_network import LossNetwork
from faststyle.models.objective import Objective, ObjectiveSettings
from faststyle.models.transform_net import build_transform_network
from faststyle.train.trainer import StyleTrainer, learning_rate_schedule, loss_window


def rates(schedule, steps):
    return [float(schedule(step)) for step in range(steps)]


def test_learning_rate_rises_linearly_then_falls_to_a_twentieth():
    schedule = learning_rate_schedule(peak=1.0, steps=12, warmup_steps=3, decay="cosine")
    values = rates(schedule, 13)
    np.testing.assert_allclose(values[:4], [0.25, 0.5, 0.75, 1.0], rtol=1e-6)
    np.testing.assert_allclose(values[12], 0.05, rtol=1e-5)
    middle = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * 3 / 9))
    np.testing.assert_allclose(values[6], middle, rtol=1e-5)


def test_constant_learning_rate_stays_at_its_peak():
    schedule = learning_rate_schedule(peak=0.5, steps=12, warmup_steps=0, decay="constant")
    assert rates(schedule, 12) == [0.5] * 12


def test_unknown_decay_is_named():
    with pytest.raises(ValueError, match="unknown learning rate decay 'linear'"):
        learning_rate_schedule(peak=1.0, steps=10, warmup_steps=0, decay="linear")


@pytest.fixture
def trainer(one_residual_block):
    keras.utils.set_random_seed(1)
    settings = ObjectiveSettings({"relu2_2": 1}, {"rgb": 1, "relu1_2": 1}, content_weight=0.5, tv_weight=2.0)
    objective = Objective(LossNetwork("vgg16", layers=["relu2_2"]), settings)
    random = np.random.default_rng(0)
    targets = objective.style_targets(random.uniform(0, 255, (2, 32, 32, 3)).astype("float32"))
    model = StyleTrainer(build_transform_network(num_styles=2, width=0.125), objective, targets)
    model.compile(optimizer=keras.optimizers.SGD(1e-3), jit_compile=False)
    return model


def toy_batch():
    images = np.random.default_rng(1).integers(0, 256, (2, 32, 36, 3)).astype("uint8")
    return {"image": images, "style_mixture": np.eye(2, dtype="float32")}


def test_terms_are_those_of_the_objective_on_the_network_output(trainer):
    batch = toy_batch()
    image = batch["image"].astype("float32")
    stylized = trainer.transform_network([image, batch["style_mixture"]])
    objective = trainer._objective
    expected = objective.terms(stylized, objective.content_targets(image), trainer._style_targets)
    terms = trainer.validation_terms(batch)
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], float(value), rtol=1e-4)


def test_color_targets_are_mean_and_covariance_of_each_style_image(trainer):
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)) / 255
    targets = trainer.color_targets
    for style, image in enumerate(images):
        np.testing.assert_allclose(targets["mean"][style], image.mean(axis=(0, 1)), rtol=1e-4)
        covariance = np.cov(image.reshape(-1, 3), rowvar=False, bias=True)
        np.testing.assert_allclose(targets["covariance"][style], covariance, atol=1e-5)


@pytest.mark.parametrize("targets", [{"relu1_2": {}}, {"rgb": {"gram": np.ones((2, 3, 3))}}], ids=["none", "gram"])
def test_objective_that_compares_no_covariance_of_colors_has_no_color_targets(targets):
    network = build_transform_network(num_styles=2, width=0.125)
    assert StyleTrainer(network, objective=None, style_targets=targets).color_targets is None


def test_the_window_of_the_loss_reaches_every_border_and_never_lies_outside():
    images = np.arange(32 * 48, dtype="float32").reshape((1, 32, 48, 1))
    first = np.asarray(loss_window(images, np.array([0.0, 0.0], "float32")))
    last = np.asarray(loss_window(images, np.array([1.0, 1.0], "float32")))
    np.testing.assert_array_equal(first, images[:, :28, :42])
    np.testing.assert_array_equal(last, images[:, 4:, 6:])


def test_training_measures_what_lies_in_the_window(trainer):
    batch = toy_batch()
    image = batch["image"].astype("float32")
    stylized = trainer.transform_network([image, batch["style_mixture"]], training=False)
    objective = trainer._objective
    place = np.array([0.0, 1.0], "float32")
    content = objective.content_targets(image[:, :28, 4:])
    expected = objective.terms(stylized[:, :28, 4:], content, trainer._style_targets)
    terms = trainer.validation_terms({**batch, "window": np.tile(place, (2, 1))})
    for name, value in expected.items():
        np.testing.assert_allclose(terms[name], float(value), rtol=1e-4)


def test_a_step_changes_the_transform_network_and_nothing_else(trainer):
    before = [np.array(variable) for variable in trainer.transform_network.variables]
    frozen = [np.array(variable) for variable in trainer._objective.loss_network._model.variables]
    trainer.train_step_terms(toy_batch())
    after = trainer.transform_network.variables
    assert any(not np.array_equal(old, np.array(new)) for old, new in zip(before, after, strict=True))
    for old, new in zip(frozen, trainer._objective.loss_network._model.variables, strict=True):
        np.testing.assert_array_equal(old, np.array(new))
    assert len(trainer.trainable_variables) == len(trainer.transform_network.trainable_variables)


def test_terms_of_two_steps_are_not_averaged(trainer):
    batch = toy_batch()
    trainer.validation_terms({**batch, "image": 255 - batch["image"]})
    again = trainer.validation_terms(batch)
    assert again == trainer.validation_terms(batch)


def test_without_fade_in_the_network_only_learns_to_reproduce_the_photo(trainer):
    trainer.compile(optimizer=keras.optimizers.Adam(3e-3), jit_compile=False)
    trainer.fade_in.assign(0.0)
    batch = toy_batch()
    smooth = keras.ops.image.resize(batch["image"][:, ::8, ::9].astype("float32"), (32, 36), interpolation="bicubic")
    batch["image"] = np.clip(np.array(smooth), 0, 255).astype("uint8")

    def difference():
        stylized = trainer.transform_network([batch["image"].astype("float32"), batch["style_mixture"]])
        return float(np.mean(np.square(np.array(stylized) - batch["image"])))

    start = difference()
    for _ in range(40):
        trainer.train_step_terms(batch)
    assert difference() < 0.3 * start


def test_the_networks_own_penalties_are_minimized_with_the_objective(trainer):
    batch = toy_batch()
    trainer.transform_network.get_layer("output_conv").bias.assign([5.0, 5.0, 5.0])  # far beyond white
    stylized = trainer(batch, training=True)
    minimized = float(trainer.compute_loss(x=batch, y_pred=stylized))
    image = batch["image"].astype("float32")
    terms = trainer._objective.terms(stylized, trainer._objective.content_targets(image), trainer._style_targets)
    assert minimized - float(terms["total"]) > 10  # about (5 - 1)^2
