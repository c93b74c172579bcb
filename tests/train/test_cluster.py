import json

import pytest

from faststyle.train.cluster import ALONE, Cluster, cluster_of_environment
from faststyle.user_error import UserError

WORKERS = ["a:1", "b:1", "c:1"]


@pytest.fixture
def environment(monkeypatch):
    """Sets `TF_CONFIG` to JSON of a value, or to a text."""
    monkeypatch.delenv("TF_CONFIG", raising=False)
    return lambda value: monkeypatch.setenv("TF_CONFIG", value if isinstance(value, str) else json.dumps(value))


def config(jobs: dict, kind: str, index) -> dict:
    return {"cluster": jobs, "task": {"type": kind, "index": index}}


def test_without_tf_config_a_process_is_alone(environment):
    assert cluster_of_environment() == ALONE == Cluster(workers=1, index=0)


@pytest.mark.parametrize("value", ["", "{}", {"cluster": {}}, config({"worker": ["a:1"]}, "worker", 0)])
def test_a_cluster_of_one_is_alone(environment, value):
    environment(value)
    assert cluster_of_environment() == ALONE


@pytest.mark.parametrize("index", [2, "2"])
def test_the_first_worker_is_the_chief_where_none_is_named(environment, index):
    environment(config({"worker": WORKERS}, "worker", index))
    assert cluster_of_environment() == Cluster(workers=3, index=2)
    assert not cluster_of_environment().is_chief
    environment(config({"worker": WORKERS}, "worker", 0))
    assert cluster_of_environment().is_chief


def test_a_named_chief_comes_before_the_workers(environment):
    jobs = {"worker": WORKERS, "chief": ["d:1"]}
    environment(config(jobs, "chief", 0))
    assert cluster_of_environment() == Cluster(workers=4, index=0)
    environment(config(jobs, "worker", 0))
    assert cluster_of_environment() == Cluster(workers=4, index=1)


@pytest.mark.parametrize(
    "value",
    [
        "no JSON",
        "[]",
        {"cluster": {"worker": WORKERS}},
        {"cluster": WORKERS},
        config({"worker": WORKERS}, "worker", 3),
        config({"worker": WORKERS}, "worker", None),
        config({"worker": WORKERS, "ps": ["d:1"]}, "worker", 0),
        config({"worker": WORKERS, "chief": ["d:1", "e:1"]}, "worker", 0),
    ],
)
def test_what_cannot_be_understood_is_one_line_with_an_example(environment, value):
    environment(value)
    with pytest.raises(UserError, match=r"^TF_CONFIG cannot be understood \(.+\); it takes e.g. .+$"):
        cluster_of_environment()
