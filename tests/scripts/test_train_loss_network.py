import argparse

import pytest

from scripts.loss_network_settings import Collection
from scripts.train_loss_network import parse_collection


def test_collections_are_read_with_their_size():
    assert parse_collection("tfds:imagenet_resized/64x64@48") == Collection("tfds:imagenet_resized/64x64", 48)
    for text in ("photos", "photos@", "photos@small", "photos@16", "@64"):
        with pytest.raises(argparse.ArgumentTypeError, match="COLLECTION@SIZE"):
            parse_collection(text)
