from scripts.loss_network_settings import ClassifierSettings, Collection


def test_batches_of_larger_images_hold_as_many_pixels():
    settings = ClassifierSettings((Collection("a", 48), Collection("b", 96)), batch_size=128)
    assert settings.batch_size_at(48) == 128
    assert settings.batch_size_at(96) == 32


def test_epsilon_is_none_while_training_plainly_and_grows_from_there():
    settings = ClassifierSettings((), steps=8, plain_steps=4, epsilon=(2.0, 6.0))
    assert [settings.epsilon_at(step) for step in (0, 3, 4, 6, 8)] == [0.0, 0.0, 2.0, 4.0, 6.0]
