"""The devices that a run trains on: one, all of this machine, or those of several machines, which act as one.

Each computes the gradients of its share of a step's photos. All copies of the weights then move by the gradients' mean,
which is the gradient of the whole batch, since every term of the loss is a mean over images.
"""

import contextlib
from collections.abc import Callable, Iterator

import keras
import numpy as np

from faststyle.train.cluster import ALONE, VARIABLE, Cluster, LostWorkerError
from faststyle.train.trainer import TERMS, StyleTrainer
from faststyle.user_error import UserError


class OneDevice:
    """The device that the backend chooses.

    Attributes:
        cluster: the processes that train together.
        count: devices of all of them.
    """

    def __init__(self, cluster: Cluster = ALONE, *, count: int = 1) -> None:
        self.cluster = cluster
        self.count = count

    def building(self) -> contextlib.AbstractContextManager:
        """Where a trainer is built."""
        return contextlib.nullcontext()

    def copies(self) -> contextlib.AbstractContextManager:
        """Where, in a trainer that is being built, the weights are made of which every device has a copy."""
        return contextlib.nullcontext()

    def train_step_terms(self, trainer: StyleTrainer, batch: dict) -> dict[str, float]:
        """`StyleTrainer.train_step_terms` of the batch of all devices, of which this process has its share.

        Raises:
            LostWorkerError: another process ended.
        """
        return trainer.train_step_terms(batch)

    def from_chief(self, data: bytes) -> bytes:
        """The chief's data; the others' have the same length."""
        return data

    def from_all(self, data: bytes) -> list[bytes]:
        """Each process's data, all of the same length."""
        return [data]


class _JaxDevices(OneDevice):
    """Keras's data parallelism: weights on every device, each array of a batch split between them."""

    def __init__(self) -> None:
        self._distribution = keras.distribution.DataParallel()
        super().__init__(count=self._distribution.num_model_replicas)

    def building(self) -> contextlib.AbstractContextManager:
        return self._distribution.scope()

    def train_step_terms(self, trainer: StyleTrainer, batch: dict) -> dict[str, float]:
        with self._distribution.scope():  # and in training only: few photos to look at cannot be split
            return trainer.train_step_terms(batch)


class _StrategyDevices(OneDevice):
    """TensorFlow's strategies of copies that move alike."""

    def __init__(self, strategy, cluster: Cluster) -> None:
        super().__init__(cluster, count=strategy.num_replicas_in_sync)
        self._strategy = strategy
        self._here = self.count // cluster.workers
        self._step: Callable | None = None

    def copies(self) -> contextlib.AbstractContextManager:
        return self._strategy.scope()

    def train_step_terms(self, trainer: StyleTrainer, batch: dict) -> dict[str, float]:
        if self._step is None:
            self._step = _replicated_step(self._strategy, trainer)

        def share(context):
            place = context.replica_id_in_sync_group % self._here
            return {name: np.split(values, self._here)[place] for name, values in batch.items()}

        with _telling_lost_workers():
            replicas = self._step(self._strategy.experimental_distribute_values_from_function(share))
            terms = self._strategy.experimental_local_results(replicas)[0].numpy()
        return dict(zip(TERMS, map(float, terms), strict=True))

    def from_chief(self, data: bytes) -> bytes:
        return self._sum(np.frombuffer(data, "uint8") * self.cluster.is_chief).tobytes()

    def from_all(self, data: bytes) -> list[bytes]:
        rows = np.zeros((self.cluster.workers, len(data)), "uint8")
        rows[self.cluster.index] = np.frombuffer(data, "uint8")
        return [row.tobytes() for row in self._sum(rows)]

    def _sum(self, values: np.ndarray) -> np.ndarray:
        """Over all processes; bytes of which at most one is not 0."""
        import tensorflow as tf

        def of_first_replica(context):
            is_first = context.replica_id_in_sync_group % self._here == 0
            return tf.constant(values.astype("int32") * is_first)

        with _telling_lost_workers():
            replicas = self._strategy.experimental_distribute_values_from_function(of_first_replica)
            return self._strategy.reduce("SUM", replicas, axis=None).numpy().astype("uint8")


def open_devices(cluster: Cluster) -> OneDevice:
    """Every GPU that there is, or else the processor, of every process in the cluster; waits for all of them.

    To be called before anything else of TensorFlow's. A processor that was split into several logical devices counts
    as these.

    Raises:
        UserError: a cluster that cannot be had.
    """
    if keras.backend.backend() == "jax":
        import jax

        if cluster.workers > 1:
            raise UserError(f"{VARIABLE} names {cluster.workers} processes, which JAX cannot join; unset it")
        return _JaxDevices() if len(jax.devices()) > 1 else OneDevice()
    import tensorflow as tf

    if cluster.workers > 1:
        try:
            return _StrategyDevices(tf.distribute.MultiWorkerMirroredStrategy(), cluster)
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            raise UserError(f"the processes of {VARIABLE} cannot be joined: {str(error).splitlines()[0]}") from error
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) == 1:
        return OneDevice()
    return _StrategyDevices(tf.distribute.MirroredStrategy([device.name for device in devices]), cluster)


def _replicated_step(strategy, trainer: StyleTrainer):
    """A training step on every device's share of a batch; returns the terms of the whole batch, on every device."""
    import tensorflow as tf

    optimizer, mean = trainer.optimizer, tf.distribute.ReduceOp.MEAN
    # Keras would sum gradients over devices after it has clipped those of each.
    optimizer._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables

    def on_device(batch):
        with tf.GradientTape() as tape:
            minimized, terms = trainer.minimized(batch, trainer(batch, training=True))
        variables, devices = trainer.trainable_variables, tf.distribute.get_replica_context()
        optimizer.apply(devices.all_reduce(mean, tape.gradient(minimized, variables)), variables)
        return devices.all_reduce(mean, tf.stack([terms[name] for name in TERMS]))

    return tf.function(lambda batch: strategy.run(on_device, args=(batch,)), autograph=False)


@contextlib.contextmanager
def _telling_lost_workers() -> Iterator[None]:
    import tensorflow as tf

    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        raise LostWorkerError(
            "another process of this training has ended; the same command on every machine goes on from the last "
            "checkpoint"
        ) from error
