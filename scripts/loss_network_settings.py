"""How a loss network is trained, as data. Imports nothing heavy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Collection:
    """Labelled photos `spec` and the side of the crops that they are trained at."""

    spec: str
    size_px: int


@dataclasses.dataclass(frozen=True)
class ClassifierSettings:
    """How a loss network is trained, by default as the shipped one was. See the command's help for each."""

    collections: tuple[Collection, ...]
    width: float = 0.5
    steps: int = 11_000
    batch_size: int = 1024
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    plain_steps: int = 1600
    epsilon: tuple[float, float] = (2.0, 4.0)
    precision: str = "auto"
    save_every: int = 500
    seed: int = 0

    def batch_size_at(self, size_px: int) -> int:
        """Images in a batch of this size: as many pixels as `batch_size` images of the smallest collection have."""
        smallest = min(collection.size_px for collection in self.collections)
        return max(8, round(self.batch_size * smallest**2 / size_px**2))

    def epsilon_at(self, step: int) -> float:
        """Largest adversarial change of a pixel at a step: none while training plainly, then growing linearly."""
        if step < self.plain_steps:
            return 0.0
        first, last = self.epsilon
        return first + (last - first) * (step - self.plain_steps) / max(1, self.steps - self.plain_steps)
