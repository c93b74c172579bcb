import numpy as np
import pytest

from faststyle.train.trainer import TERMS
from faststyle.train.validation import mean_terms, validate, validation_table


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
