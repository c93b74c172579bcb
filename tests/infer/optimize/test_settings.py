import pytest

from faststyle.infer.optimize.settings import OptimizeSettings
from faststyle.user_error import UserError


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"styles": ()}, "give a style image"),
        ({"optimizer": "sgd"}, "unknown optimizer 'sgd'; choose one of lbfgs, adam"),
        ({"size": 16}, "sizes must be 32 px or more, got 16"),
        ({"scales": (64, 32)}, "--scales must rise, got 64,32"),
        ({"window": 0}, "--window must be 1 or more, got 0"),
        ({"time_limit": 0.0}, "--time-limit must be above 0, got 0.0"),
        ({"initial_noise": 1.5}, "--initial-noise must lie in 0..1, got 1.5"),
        ({"min_improvement": 100.0}, "--min-improvement must lie in 0..100 and --seed must be 0 or more"),
        ({"units": "gatys"}, "--units gatys is for --statistic gram"),
        ({"content_blend": 0.5}, "--content-blend needs two content layers, got relu3_3"),
        ({"style_weights": (0.5, 0.5)}, "--style-weights: got 2 for 1 style image(s); give one for each"),
        ({"style_weights": (-1.0,)}, "--style-weights must be 0 or more with a positive sum, got -1"),
        ({"style_scales": (0.0,)}, "--style-scales must be above 0, got 0"),
        ({"masks": ("a.png",), "style_weights": (1.0,)}, "--style-weights blend styles, --masks keep them apart"),
        ({"activation_shift": -1.0}, "an activation shift changes Gram matrices only; choose the statistic gram"),
        ({"shifts": (16, 0)}, "shifts must be 1 px or more, got (16, 0)"),
        ({"style_layers": {"rgb": -1.0}}, "style layers need weights of 0 or more with a positive sum"),
    ],
)
def test_settings_that_make_no_sense_say_what_and_what_was_given(changes, words):
    with pytest.raises(UserError) as caught:
        OptimizeSettings(**{"content": "a.jpg", "styles": ("b.jpg",)} | changes)
    assert str(caught.value).startswith(words)
