"""A training run judged by a moving average of its weights, to measure whether one is worth keeping."""

import numpy as np

from train.run_log import RunLog
from train.training_run import TrainingRun

_MOMENTUM = 0.98
_YOUNG_STEPS = 10


class AveragedRun(TrainingRun):
    """Trains as ever and validates an exponential moving average of the weights.

    The momentum is 0.98, less in the first steps, `(1 + step) / (10 + step)`, so that the start is soon forgotten.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._averages = self._weights()

    def _step(self, images: np.ndarray, log: RunLog) -> None:
        super()._step(images, log)
        momentum = min(_MOMENTUM, (1 + self.step) / (_YOUNG_STEPS + self.step))
        for average, weight in zip(self._averages, self._weights(), strict=True):
            average += (1 - momentum) * (weight - average)

    def _validate(self) -> list[dict[str, float]]:
        trained = self._weights()
        self._network.set_weights(self._averages)
        try:
            return super()._validate()
        finally:
            self._network.set_weights(trained)

    def _weights(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self._network.get_weights()]
