"""The command as typed, on Beam's runner for this machine, in this process and in several."""

import contextlib
import errno
import importlib.util
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from faststyle.infer.beam_pipeline.command import main
from faststyle.infer.styles.model_card import ModelCardError
from faststyle.scripts.faststyle import main as faststyle
from tests.toy_run import write_photos

SEVERAL = ("--direct_running_mode", "multi_processing", "--direct_num_workers", "2")
LOOK = ("--strength", "0.7", "--preserve-colors", "luminance", "--size", "40", "--format", "jpg", "--quality", "80")


@pytest.fixture
def model(two_styles) -> Path:
    return two_styles


@pytest.fixture
def photos(tmp_path) -> Path:
    """Eight whole photos in two folders under the same names, and two broken ones."""
    folder = tmp_path / "photos"
    write_photos(folder / "may", count=4)
    write_photos(folder / "june", count=4, seed=1)
    (folder / "june" / "broken.jpg").write_bytes((folder / "june" / "photo_00.jpg").read_bytes()[:500])
    (folder / "text.png").write_text("no picture")
    return folder


@pytest.fixture
def beam() -> Iterator[None]:
    pytest.importorskip("apache_beam")
    level = logging.getLogger().level  # which the command sets
    yield
    logging.getLogger().setLevel(level)


def arguments(photos: Path, output: Path, model: Path, *more: str) -> list[str]:
    return ["--input", str(photos), "--output", str(output), "--model", str(model), *more]


def start(arguments: list[str], log: Path) -> subprocess.Popen:
    """The command in a process of its own, as from a terminal."""
    with log.open("w") as output:
        command = [sys.executable, "-m", "faststyle.infer.beam_pipeline", *arguments]
        return subprocess.Popen(command, stdout=output, stderr=output)


def pictures(output: Path) -> dict[str, bytes]:
    """Every file below the output but the list of the broken, by its path."""
    files = (path for path in output.rglob("*") if path.is_file() and path.name != "broken.jsonl")
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def broken(output: Path) -> dict[str, str]:
    lines = [json.loads(line) for line in (output / "broken.jsonl").read_text().splitlines()]
    assert len({line["photo"] for line in lines}) == len(lines)
    return {line["photo"]: line["reason"] for line in lines}


@pytest.mark.usefixtures("beam")
def test_pictures_are_those_of_stylize_byte_for_byte_and_broken_photos_are_listed(model, photos, tmp_path, capsys):
    assert faststyle(["stylize", str(model), str(photos), "--output", str(tmp_path / "wanted"), *LOOK]) == 1
    told_by_stylize = capsys.readouterr().err
    assert main(arguments(photos, tmp_path / "out", model, *LOOK)) == 1
    captured = capsys.readouterr()
    assert "8 of 10 stylized" in captured.out
    assert f"2 could not be stylized: {tmp_path / 'out' / 'broken.jsonl'}" in captured.err
    assert len(pictures(tmp_path / "wanted")) == 8
    assert pictures(tmp_path / "out") == pictures(tmp_path / "wanted")
    found = broken(tmp_path / "out")
    assert {Path(photo).name for photo in found} == {"broken.jpg", "text.png"}
    assert found[str(photos / "text.png")] == "not an image, or of an unknown format"
    assert all(f"{photo}: {reason}" in told_by_stylize for photo, reason in found.items())
    assert not list((tmp_path / "out").rglob(".*"))


@pytest.mark.usefixtures("beam")
def test_a_second_run_makes_only_what_is_missing_and_forgets_what_is_no_longer_broken(model, photos, tmp_path, capsys):
    output = tmp_path / "out"
    assert main(arguments(photos, output, model)) == 1
    made = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    (output / "may" / "photo_01.png").unlink()
    (photos / "june" / "broken.jpg").write_bytes((photos / "june" / "photo_00.jpg").read_bytes())
    (photos / "text.png").unlink()
    capsys.readouterr()
    assert main(arguments(photos, output, model)) == 0
    assert "2 of 2 stylized, 7 were there" in capsys.readouterr().out
    assert broken(output) == {}
    again = {path for path, time_ns in made.items() if path.stat().st_mtime_ns != time_ns}
    assert again == {output / "may" / "photo_01.png"}
    assert (output / "june" / "broken.png").is_file()


@pytest.mark.usefixtures("beam")
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="finds the worker in Linux's /proc")
def test_after_a_killed_worker_the_same_command_does_the_rest(model, photos, tmp_path):
    output, log = tmp_path / "out", tmp_path / "log.txt"
    whole = (photos / "may" / "photo_02.jpg").read_bytes()
    stuck = photos / "may" / "photo_02.jpg"
    stuck.unlink()
    os.mkfifo(stuck)  # whoever reads this photo waits, and is killed as it does
    first = start(arguments(photos, output, model, *SEVERAL), log)
    with written_by_nobody(stuck, first):
        while not (found := readers(stuck)):  # the kernel counts a reader before its process has the file
            time.sleep(0.01)
        os.kill(found[0], signal.SIGKILL)
        assert first.wait(timeout=300) == 1, log.read_text()
    assert log.read_text().splitlines()[-1].startswith("stopped: Worker subprocess exited with return code 137;")
    made = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    (output / ".unfinished").mkdir(parents=True, exist_ok=True)
    (output / ".unfinished" / "half").write_bytes(b"half a picture")
    stuck.unlink()
    stuck.write_bytes(whole)
    assert_second_run_does_the_rest(model, photos, output, log, made, count=8)


@pytest.mark.slow
@pytest.mark.usefixtures("beam")
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="finds the worker in Linux's /proc")
def test_of_500_photos_nothing_is_lost_and_nothing_made_twice_when_a_worker_is_killed(model, tmp_path):
    photos, output, log = tmp_path / "photos", tmp_path / "out", tmp_path / "log.txt"
    write_photos(photos / "trip", count=490)
    for index in range(10):
        (photos / f"broken_{index}.jpg").write_bytes(bytes(range(index * 20)))
    first = start(arguments(photos, output, model, *SEVERAL), log)
    while len(list(output.rglob("*.png"))) < 100:
        assert first.poll() is None, log.read_text()
        time.sleep(0.01)
    os.kill(workers(first)[0], signal.SIGKILL)
    assert first.wait(timeout=300) == 1, log.read_text()
    made = {path: path.stat().st_mtime_ns for path in output.rglob("*.png")}
    assert 100 <= len(made) < 490
    assert_second_run_does_the_rest(model, photos, output, log, made, count=490)


def assert_second_run_does_the_rest(model, photos, output, log, made: dict[Path, int], *, count: int) -> None:
    second = start(arguments(photos, output, model, *SEVERAL), log)
    assert second.wait(timeout=300) == 1, log.read_text()
    were_there = f", {len(made)} were there" if made else ""
    assert f" stylized{were_there}: {output}\n" in log.read_text()
    assert {path: path.stat().st_mtime_ns for path in made} == made
    wanted = output.with_name("wanted")
    assert faststyle(["stylize", str(model), str(photos), "--output", str(wanted)]) == 1
    assert len(pictures(wanted)) == count
    assert pictures(output) == pictures(wanted)
    assert len(broken(output)) == sum(path.is_file() for path in photos.rglob("*")) - count


@contextlib.contextmanager
def written_by_nobody(pipe: Path, command: subprocess.Popen) -> Iterator[None]:
    """Holds a pipe open for writing, from when somebody reads it."""
    while True:
        assert command.poll() is None
        with contextlib.suppress(OSError):  # as long as nobody reads
            handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            break
        time.sleep(0.01)
    try:
        yield
    finally:
        os.close(handle)


def readers(pipe: Path) -> list[int]:
    """The processes other than this one that have a file open."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # other people's processes, and such as just ended
            if os.readlink(link) == str(pipe) and link.parts[2] != str(os.getpid()):
                found.append(int(link.parts[2]))
    return found


def workers(command: subprocess.Popen) -> list[int]:
    """Beam's worker processes below a command."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            line = status.with_name("cmdline").read_text()
            if parent == command.pid and "sdk_worker_main" in line:
                found.append(int(status.parts[2]))
    return found


@pytest.mark.usefixtures("beam")
def test_errors_of_the_file_system_are_for_the_engine_which_tries_again(model, photos, tmp_path, monkeypatch):
    from apache_beam.io.filesystems import FileSystems

    opened, failed = FileSystems.open, []

    def open_at_fourth_try(path, **options):
        if len(failed) < 3:  # it tries four times
            failed.append(path)
            raise OSError(errno.EIO, "Input/output error", path)
        return opened(path, **options)

    monkeypatch.setattr(FileSystems, "open", open_at_fourth_try)
    runner = ("--runner", "BundleBasedDirectRunner")
    assert main(arguments(photos / "may", tmp_path / "out", model, *runner)) == 0
    assert len(failed) == 3
    assert len(pictures(tmp_path / "out")) == 4
    assert broken(tmp_path / "out") == {}


@pytest.mark.usefixtures("beam")
def test_the_threads_of_a_worker_process_share_one_model(model, photos, tmp_path, monkeypatch):
    from faststyle.infer.beam_pipeline.painting import Painting

    load, loaded = Painting.load, []
    monkeypatch.setattr(Painting, "load", lambda self: loaded.append(threading.get_ident()) or load(self))
    threads = ("--direct_running_mode", "multi_threading", "--direct_num_workers", "2")
    assert main(arguments(photos / "may", tmp_path / "out", model, *threads)) == 0
    assert len(loaded) == 2  # the command itself looks whether it can be loaded
    assert loaded[0] != loaded[1]


@pytest.mark.usefixtures("beam")
def test_two_photos_of_one_name_never_share_a_picture(model, photos, tmp_path):
    (photos / "may" / "photo_00.png").write_bytes((photos / "june" / "photo_00.jpg").read_bytes())
    assert main(arguments(photos / "may", tmp_path / "out", model)) == 1
    result, first = tmp_path / "out" / "photo_00.png", photos / "may" / "photo_00.jpg"
    assert broken(tmp_path / "out") == {
        str(photos / "may" / "photo_00.png"): f"would become {result}, as {first} does; rename one"
    }


@pytest.mark.usefixtures("beam")
def test_results_below_the_photos_are_no_photos(model, photos, tmp_path, capsys):
    for _ in range(2):
        main(arguments(photos, photos / "painted", model))
    assert "0 of 2 stylized, 8 were there" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.usefixtures("beam")
def test_what_pictures_cannot_keep_is_said_once_for_all(model, photos, tmp_path, capsys):
    for name in ("a.png", "b.png"):
        Image.new("RGBA", (40, 40), (255, 0, 0, 99)).save(photos / "may" / name)
    assert main(arguments(photos / "may", tmp_path / "out", model, "--format", "jpg")) == 0
    assert capsys.readouterr().err == "2 photos: transparency is laid over white\n"


@pytest.mark.usefixtures("beam")
def test_photos_results_and_model_may_all_be_urls(model, photos, tmp_path, capsys):
    from tests.infer.beam_pipeline.shelf import FILES

    for place, folder in (("photos", photos), ("export", model)):
        FILES.update({f"shelf://{place}/{path}": content for path, content in pictures(folder).items()})
    before = set(FILES)
    FILES["shelf://out/.unfinished/half"] = b"half a picture"
    typed = ["--input", "shelf://photos/**", "--output", "shelf://out/", "--model", "shelf://export/"]
    assert main(typed) == 1
    assert "8 of 10 stylized: shelf://out\n" in capsys.readouterr().out
    assert faststyle(["stylize", str(model), str(photos), "--output", str(tmp_path / "wanted")]) == 1
    lines = FILES["shelf://out/broken.jsonl"].decode().splitlines()
    assert [json.loads(line)["photo"] for line in lines] == [
        "shelf://photos/june/broken.jpg",
        "shelf://photos/text.png",
    ]
    results = {path: FILES[path] for path in set(FILES) - before - {"shelf://out/broken.jsonl"}}
    assert results == {f"shelf://out/{path}": content for path, content in pictures(tmp_path / "wanted").items()}


@pytest.mark.usefixtures("beam")
def test_a_model_as_a_url_is_copied_once(model, tmp_path):
    from faststyle.infer.beam_pipeline import painting

    copy = Path(painting._fetched(str(model)).name)
    files = {path.relative_to(model) for path in model.rglob("*") if path.is_file()}
    assert {path.relative_to(copy) for path in copy.rglob("*") if path.is_file()} == files
    assert all((copy / file).read_bytes() == (model / file).read_bytes() for file in files)
    assert painting._fetched(str(model)).name == str(copy)
    with pytest.raises(ModelCardError, match="no exported model"):
        painting._fetched(str(tmp_path))


USER_ERRORS = {
    "no file": (["--input", "{photos}/**.webp"], "/photos/**.webp: matches no file"),
    "no image": (["--input", "{photos}/notes/*"], "/photos/notes/*: matches no image file"),
    "unknown style": (["--model", "stary_night"], "did you mean starry_night?"),
    "missing model": (["--model", "{photos}"], "no exported model"),
    "missing folder": (["--model", "{photos}/nowhere"], "no exported model"),
    "unknown style in model": (["--mix", "pointillism"], "no style 'pointillism' in this model"),
    "among the photos": (["--output", "{photos}"], "results would lie among the photos"),
    "output is a file": (["--output", "{photos}/text.png"], "is a file"),
    "unquoted pattern": (["--input", "{photos}/may/photo_00.jpg", "{photos}/may/photo_01.jpg"], "unknown argument"),
    "option mistyped": (["--strenght", "0.5"], "unknown argument --strenght"),
    "Beam's option": (["--direct_num_workers", "many"], "invalid int value: 'many'"),
    "no runner": (["--runner", "Marathon"], "Unexpected pipeline runner: Marathon"),
    "no place of Dataflow's": (
        ["--runner", "DataflowRunner"],
        "Dataflow's workers do not see this machine",
    ),
    "no such URLs": (
        ["--input", "ftp://photos/**", "--temp_location", "gs://bucket/tmp"],
        "Beam cannot read such URLs",
    ),
}


@pytest.mark.usefixtures("beam")
@pytest.mark.parametrize("case", USER_ERRORS)
def test_user_errors_are_one_line(case, model, photos, tmp_path, capsys):
    (photos / "notes").mkdir()
    (photos / "notes" / "trip.txt").write_text("rain")
    typed, told = USER_ERRORS[case]
    assert main(arguments(photos, tmp_path / "out", model, *(word.format(photos=photos) for word in typed))) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert told in line


def test_without_beam_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(arguments(tmp_path, tmp_path / "out", tmp_path)) == 2
    assert capsys.readouterr().err == (
        'error: this needs apache_beam, which is not installed: pip install "faststyle-tf[beam]"\n'
    )


def test_help_imports_neither_beam_nor_anything_else_heavy():
    code = "import sys; from faststyle.infer.beam_pipeline.command import main\n"
    code += "try: main(['--help'])\nexcept SystemExit: print('modules', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    help_text, _, modules = done.stdout.partition("modules ")
    assert "--runner FlinkRunner" in " ".join(help_text.split())
    assert {"apache_beam", "openvino", "numpy"}.isdisjoint(modules.split())
