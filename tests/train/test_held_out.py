import keras
import numpy as np
import pytest

from faststyle.models.transform_net import build_transform_network
from faststyle.train.held_out import (
    collapse_reason,
    mean_terms,
    preview_sheet,
    stylize_previews,
    validate,
    validation_table,
)
from faststyle.train.trainer import TERMS, StyleTrainer


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype("uint8")


def test_lively_previews_give_no_reason_to_stop():
    assert collapse_reason(noise(2, 3, 16, 16, 3)) is None


def test_one_flat_style_among_lively_ones_is_a_collapse():
    stylized = noise(2, 3, 16, 16, 3)
    stylized[1] = 77
    assert "nearly one color" in collapse_reason(stylized)


def test_black_and_white_previews_are_a_collapse():
    stylized = np.where(noise(1, 3, 16, 16, 3) > 127, 255, 0).astype("uint8")
    assert "fully black or white" in collapse_reason(stylized)


def test_a_dark_photo_with_some_black_is_no_collapse():
    stylized = noise(1, 2, 16, 16, 3) // 8
    stylized[:, :, :8] = 0
    assert collapse_reason(stylized) is None


def test_previews_have_a_row_for_each_style_and_the_size_of_their_photos():
    keras.utils.set_random_seed(0)
    network = build_transform_network(num_styles=2, width=0.125)
    network.get_layer("output_conv").bias.assign([0.9, 0.0, 0.0])  # some reds beyond 255
    photos = noise(3, 32, 36, 3)
    trainer = StyleTrainer(network, objective=None, style_targets={})
    trainer.compile(jit_compile=False)
    stylized = stylize_previews(trainer, photos, num_rows=2)
    for row, mixture in zip(stylized, np.eye(2, dtype="float32"), strict=True):
        for picture, photo in zip(row, photos, strict=True):
            alone = network([photo[None].astype("float32"), mixture[None]])[0]
            np.testing.assert_allclose(picture, np.clip(alone, 0, 255), atol=0.51)
    assert stylized.shape == (2, 3, 32, 36, 3)
    assert (stylized == 255).any()
    assert stylized.dtype == np.uint8
    sheet = preview_sheet(photos, stylized)
    np.testing.assert_array_equal(sheet[8:40, 8:44], photos[0])


class RecordingTrainer:
    """Answers with the row of the mixture and the mean of the photos, so that averages can be worked by hand."""

    def validation_terms(self, batch):
        rows = batch["style_mixture"].argmax(axis=1)
        assert (rows == rows[0]).all()
        return dict.fromkeys(TERMS, 100.0 * rows[0] + float(batch["image"].mean()))


def photos(*levels):
    return np.stack([np.full((4, 4, 3), level, "uint8") for level in levels])


def test_every_style_has_the_mean_over_all_photos_whatever_the_batches():
    per_style = validate(RecordingTrainer(), photos(1, 2, 6), num_styles=2, num_rows=3, batch_size=2)
    assert [terms["total"] for terms in per_style] == pytest.approx([3.0, 103.0])


def test_the_mean_is_over_styles():
    assert mean_terms([dict.fromkeys(TERMS, 3.0), dict.fromkeys(TERMS, 5.0)]) == dict.fromkeys(TERMS, 4.0)


def test_without_photos_there_is_nothing_to_say():
    assert validate(RecordingTrainer(), photos(1)[:0], num_styles=1, num_rows=1, batch_size=2) == []
    assert mean_terms([]) is None


def test_the_table_has_a_line_for_each_style_in_columns():
    head, sea, _ = validation_table(
        ["sea", "starry_night"], [dict.fromkeys(TERMS, 0.5), dict.fromkeys(TERMS, 2.0)]
    ).split("\n")
    assert head.split() == ["validation", *TERMS]
    assert sea.split() == ["sea", *["0.5000"] * len(TERMS)]
    assert len(head) == len(sea)
