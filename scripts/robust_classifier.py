"""A VGG-shaped classifier that is trained on adversarial images, so that its features follow what people see.

Networks that were trained so give far better style transfer: their gradients with respect to the image show strokes
and shapes instead of grain (Engstrom et al. 2019, arXiv 1906.00945; Nakano, Distill 2019, 10.23915/distill.00019.4).
The attack is one random start and one signed step, not confined to a box afterwards (N-FGSM, de Jorge et al. 2022,
arXiv 2202.01181): with the box, long trainings can end in networks that withstand this one step and nothing else.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers, ops

from models.fused_normalization import fused_normalization, has_fused_normalization
from models.loss_network import ARCHITECTURES, MEAN_PIXEL
from scripts.photo_augmentation import augmented

# Pixels minus their mean are divided by this during training; it is folded into the first convolution afterwards.
PIXEL_SCALE = 58.0
_START = 2.0  # largest random change before the step, in epsilons, as in de Jorge et al.
_EXCLUDED_LOGIT = -1e4
_BATCH_NORM_EPSILON = 1e-3
_BATCH_NORM_MOMENTUM = 0.97  # collections take turns: an average over the last step alone would be of one of them


class RobustClassifier(keras.Model):
    """A shared trunk with one head for each collection of labelled photos.

    Trained by `fit` or `train_on_batch` on `{"image": [batch, size, size, 3] in 0..255, "label": [batch] int32,
    "epsilon": [batch], "allowed": [batch, classes]}`: `label` counts through the classes of all collections, `allowed`
    is 1 for those of the image's own collection. In training, images are first augmented, then moved against the
    network by about `epsilon` grey levels.

    Args:
        trunk: from `build_trunk`.
        class_counts: classes of each collection.
    """

    def __init__(self, trunk: keras.Model, class_counts: Sequence[int], **kwargs) -> None:
        super().__init__(**kwargs)
        self.trunk = trunk
        self.pool = layers.GlobalAveragePooling2D(dtype="float32")
        # Features have any scale; heads that start from nothing learn slowly on small ones.
        self.standardize = layers.LayerNormalization(center=False, scale=False, dtype="float32")
        # Zero, so that the trunk is not moved by what untrained heads say.
        self.heads = layers.Dense(sum(class_counts), kernel_initializer="zeros", dtype="float32")
        self.seeds = keras.random.SeedGenerator(0)  # a variable, so that a checkpoint holds it

    def call(self, inputs, training=False):
        image = ops.cast(inputs["image"], "float32")
        if training:
            image = augmented(image, seed=self.seeds)
            epsilon = ops.reshape(inputs["epsilon"], (-1, 1, 1, 1))
            start = epsilon * keras.random.uniform(ops.shape(image), -_START, _START, seed=self.seeds)
            image = image + ops.cond(  # plain steps save the attack's passes through the network
                ops.any(epsilon > 0.0),
                lambda: attack_step(self.classification_loss(inputs), image, start, epsilon),
                lambda: ops.zeros_like(image),
            )
        return self.logits(image, inputs["allowed"], training=training)

    def logits(self, image, allowed, *, training: bool = False):
        """Scores `[batch, classes]` float32 of images; classes of other collections score next to nothing."""
        pooled = self.standardize(self.pool(self.trunk(image, training=training)))
        return self.heads(pooled) + (1.0 - allowed) * _EXCLUDED_LOGIT

    def classification_loss(self, inputs) -> Callable:
        """The function from images to the loss that an attack raises; the trunk runs as in use."""

        def loss(image):
            logits = self.logits(image, inputs["allowed"])
            return ops.sum(keras.losses.sparse_categorical_crossentropy(inputs["label"], logits, from_logits=True))

        return loss


def attack_step(loss: Callable, image, start, epsilon):
    """One signed gradient step from `image + start`, within 0..255.

    Args:
        loss: from images to a scalar.
        image: `[batch, height, width, 3]` in 0..255.
        start: perturbation to begin with, same shape.
        epsilon: length of the step in each pixel, broadcastable.

    Returns:
        The perturbation, without gradient.
    """
    gradient = _input_gradient(loss, ops.clip(image + start, 0.0, 255.0))
    return ops.stop_gradient(ops.clip(image + start + epsilon * ops.sign(gradient), 0.0, 255.0) - image)


@keras.saving.register_keras_serializable(package="faststyle")
class FusedBatchNormalization(layers.BatchNormalization):
    """Keras's batch normalization of `[batch, height, width, channels]`, on TensorFlow by its fused kernel.

    Keras casts bfloat16 to float32 and normalizes in several passes over memory, which took more than half of a step.
    """

    def call(self, inputs, training=None, mask=None):
        if not has_fused_normalization():
            return super().call(inputs, training=training, mask=mask)
        update = bool(training) and self.trainable
        output, mean, variance = fused_normalization(
            ops.cast(inputs, self.compute_dtype),
            ops.cast(self.gamma, "float32"),
            ops.cast(self.beta, "float32"),
            epsilon=self.epsilon,
            statistics=None if update else (self.moving_mean.value, self.moving_variance.value),
        )
        if update:
            self.moving_mean.assign(self.momentum * self.moving_mean + (1 - self.momentum) * mean)
            self.moving_variance.assign(self.momentum * self.moving_variance + (1 - self.momentum) * variance)
        return output


def build_trunk(*, width: float, normalize: bool, dtype="float32") -> keras.Model:
    """VGG-16's convolutions with average pooling, from images in 0..255 to the last features.

    Args:
        width: times VGG-16's channels.
        normalize: batch normalization after every convolution; without it convolutions have a bias, as after
            `folded_weights`.
        dtype: a Keras dtype policy.
    """
    architecture = ARCHITECTURES["vgg16"]
    image = keras.Input((None, None, 3), dtype="float32")
    offset = [-mean / PIXEL_SCALE for mean in MEAN_PIXEL]
    x = layers.Rescaling(1 / PIXEL_SCALE, offset, dtype="float32")(image)
    blocks = zip(architecture.convolutions, architecture.channels, strict=True)
    for block, (convolutions, channels) in enumerate(blocks, start=1):
        if block > 1:
            x = layers.AveragePooling2D(2, dtype=dtype)(x)
        for conv in range(1, convolutions + 1):
            name = f"block{block}_conv{conv}"
            x = layers.Conv2D(
                round(channels * width),
                3,
                padding="same",
                activation=None if normalize else "relu",
                use_bias=not normalize,
                kernel_initializer="he_normal",
                dtype=dtype,
                name=name,
            )(x)
            if normalize:
                x = FusedBatchNormalization(
                    momentum=_BATCH_NORM_MOMENTUM, epsilon=_BATCH_NORM_EPSILON, dtype=dtype, name=f"{name}_norm"
                )(x)
                x = layers.ReLU(dtype=dtype)(x)
    return keras.Model(image, x)


def folded_weights(trunk: keras.Model) -> dict[str, np.ndarray]:
    """The trunk as plain convolutions on pixels minus their mean: normalization and pixel scale folded in.

    Returns:
        `{layer}/kernel` `[3, 3, in, out]` and `{layer}/bias` `[out]`, float32, as `models.loss_network_weights` reads.
    """
    arrays: dict[str, np.ndarray] = {}
    names = [layer.name for layer in trunk.layers]
    for layer in trunk.layers:
        if not isinstance(layer, layers.Conv2D):
            continue
        kernel = np.asarray(layer.get_weights()[0], "float64")
        if f"{layer.name}_norm" in names:
            gamma, beta, mean, variance = trunk.get_layer(f"{layer.name}_norm").get_weights()
            gain = gamma / np.sqrt(variance + _BATCH_NORM_EPSILON)
            kernel, bias = kernel * gain, beta - mean * gain
        else:
            bias = layer.get_weights()[1]
        if not arrays:
            kernel = kernel / PIXEL_SCALE
        arrays[f"{layer.name}/kernel"] = kernel.astype("float32")
        arrays[f"{layer.name}/bias"] = np.asarray(bias, "float32")
    return arrays


def assign_folded_weights(trunk: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Fills a trunk without normalization from `folded_weights`.

    Raises:
        ValueError: arrays are missing or of other shapes.
    """
    convolutions = [layer for layer in trunk.layers if isinstance(layer, layers.Conv2D)]
    for index, layer in enumerate(convolutions):
        try:
            kernel, bias = arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"]
        except KeyError as error:
            raise ValueError(f"no array {error} in the folded weights") from None
        scale = PIXEL_SCALE if index == 0 else 1.0
        layer.set_weights([kernel.astype("float32") * scale, bias.astype("float32")])


def _input_gradient(loss: Callable, image):
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(loss)(image)
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(image)
        value = loss(image)
    return tape.gradient(value, image)
