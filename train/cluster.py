"""The processes of one training on several machines, as the environment variable `TF_CONFIG` names them."""

import dataclasses
import json
import os

from faststyle.user_error import UserError

VARIABLE = "TF_CONFIG"
_EXAMPLE = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'


class LostWorkerError(RuntimeError):
    """Another process of this training ended, or cannot be reached."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """How many processes train together, and which of them this one is, counted from 0."""

    workers: int = 1
    index: int = 0

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes."""
        return self.index == 0


ALONE = Cluster()


def cluster_of_environment() -> Cluster:
    """The cluster of `TF_CONFIG`, in TensorFlow's order: a chief where one is named, then the workers.

    Raises:
        UserError: it cannot be understood, or names other tasks.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return ALONE
    try:
        values = json.loads(text)
        jobs, task = values.get("cluster", {}), values.get("task", {})
        names = [(job, index) for job in sorted(jobs) for index in range(len(jobs[job]))]  # "chief" before "worker"
        index = names.index((task["type"], int(task["index"]))) if names else 0
        if not set(jobs) <= {"chief", "worker"} or len(jobs.get("chief", [])) > 1:
            raise ValueError("one chief at most, and workers")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{VARIABLE} cannot be understood ({error}); it takes e.g. {_EXAMPLE}") from None
    return Cluster(max(1, len(names)), index)
