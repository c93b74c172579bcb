import pytest

from faststyle.infer.beam_pipeline.places import Places
from faststyle.infer.exported_model.stylizer import StylizeError


def test_results_keep_the_path_below_the_patterns_fixed_part():
    places = Places.of("gs://bucket/2026/**.jpg", "gs://painted/", "jpg")
    assert places.root == "gs://bucket/2026/"
    assert places.result_of("gs://bucket/2026/may/a.b.jpeg") == "gs://painted/may/a.b.jpg"
    assert places.result_of("gs://bucket/2026/june/a.b.jpeg") == "gs://painted/june/a.b.jpg"


def test_the_fixed_part_ends_with_a_whole_folder():
    assert Places.of("gs://bucket/2026-0[5-9]/*.jpg", "gs://out", "png").root == "gs://bucket/"
    assert Places.of("/photos/a?.jpg", "/out", "png").root == "/photos/"


def test_a_folder_means_all_below_it_and_one_photo_itself():
    assert Places.of("/photos", "/out", "png").pattern == "/photos/**"
    assert Places.of("s3://bucket/", "/out", "png").pattern == "s3://bucket/**"
    assert Places.of("/photos/A.JPG", "/out", "png").pattern == "/photos/A.JPG"


def test_local_paths_become_whole_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = Places.of("*.jpg", "out", "png")
    assert (places.pattern, places.output) == (f"{tmp_path}/*.jpg", f"{tmp_path}/out")


def test_what_is_hidden_no_image_or_a_result_is_no_photo():
    places = Places.of("/photos/**", "/photos/painted", "png")
    names = ("a.jpg", "x/B.JPEG", "notes.txt", ".a.jpg", ".trash/a.jpg", "painted/a.png", "painted.png")
    assert [name for name in names if places.is_photo(f"/photos/{name}")] == ["a.jpg", "x/B.JPEG", "painted.png"]
    assert Places.of("/home/.photos/**", "/out", "png").is_photo("/home/.photos/a.jpg")


def test_no_name_of_an_object_leads_out_of_the_output_folder():
    places = Places.of("gs://bucket/**", "/out", "png")
    assert places.result_of("gs://bucket/../../etc/a.jpg") == "/out/_/_/etc/a.png"
    assert places.result_of("gs://bucket//etc/a.jpg") == "/out/_/etc/a.png"


@pytest.mark.parametrize("photos", ["/photos", "/photos/**.jpg", "/photos/a.jpg"])
def test_results_among_the_photos_are_refused(photos):
    with pytest.raises(StylizeError, match="would lie among the photos; choose another --output"):
        Places.of(photos, "/photos/", "png")
