"""The house: arrows only point down, `scripts -> train -> infer -> models`, and all stand on `faststyle` itself.

Within infer they go one way too: `beam_pipeline, compare -> optimize, stylize -> exported_model -> styles`. `--help`
imports nothing heavy.
"""

import argparse
import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

from faststyle.scripts.faststyle import COMMANDS, add_command

ROOT = Path(__file__).parent.parent
GROUND = "faststyle"  # its own modules and faststyle.images: what every floor may use
MAY_IMPORT = {
    GROUND: {GROUND},
    "models": {"models", GROUND},
    "infer": {"infer", "models", GROUND},
    "train": {"train", "infer", "models", GROUND},
    "scripts": {"scripts", "train", "infer", "models", GROUND},
}
FLOORS = {*MAY_IMPORT, "tests"} - {GROUND}
ROOMS_MAY_IMPORT = {  # the folders of infer/
    "styles": {"styles"},
    "exported_model": {"exported_model", "styles"},
    "stylize": {"stylize", "exported_model", "styles"},
    "beam_pipeline": {"beam_pipeline", "stylize", "exported_model", "styles"},
    "optimize": {"optimize", "styles"},
    "compare": {"compare", "optimize", "stylize", "exported_model", "styles"},
}
FRONT_DOORS = {Path("faststyle/__init__.py"), Path("faststyle/__main__.py")}
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "jax", "scipy", "skimage", "openvino", "matplotlib"}
SOURCE_FILES = [path.relative_to(ROOT) for floor in MAY_IMPORT for path in sorted((ROOT / floor).rglob("*.py"))]
INSIDE_INFER = [path for path in SOURCE_FILES if path.parts[0] == "infer" and len(path.parts) > 2]


def imported_modules(source: str, package: str) -> list[str]:
    """What a source file of `package` imports, at its top or inside a function: modules, and names in them."""
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = resolve_name("." * node.level + (node.module or ""), package)
            modules += [f"{parent}.{alias.name}" for alias in node.names]
    return modules


def package_of(path: Path) -> str:
    return ".".join(path.parent.parts if path.parts[0] == GROUND else (GROUND, *path.parent.parts))


def imported_floors(source: str, package: str) -> set[str]:
    """The floors of this project in imports, by whichever name: a bare `import models` counts as the tests' house."""
    floors = set()
    for module in imported_modules(source, package):
        first, second, *_ = [*module.split("."), "", ""]
        if first == GROUND:
            floors.add(second if second in FLOORS else GROUND)
        elif first in FLOORS:
            floors.add("tests")
    return floors


def imported_rooms(source: str, package: str) -> set[str]:
    names = [module.split(".") for module in imported_modules(source, package)]
    return {parts[2] for parts in names if parts[:2] == [GROUND, "infer"] and len(parts) > 2} & set(ROOMS_MAY_IMPORT)


def commands() -> list[str]:
    subcommands = argparse.ArgumentParser().add_subparsers()
    for name in COMMANDS:
        add_command(name)(subcommands)
    return list(subcommands.choices)


def test_every_way_to_import_is_seen():
    source = "import faststyle.train.x as t, numpy\nfrom . import y\n"
    source += "def f():\n  if True:\n    from faststyle.images import x\n"
    assert imported_floors(source, "faststyle.models") == {"train", GROUND, "models"}
    assert imported_floors("from faststyle import infer", "faststyle.models") == {"infer"}


def test_a_part_by_a_name_of_its_own_would_be_a_second_module():
    assert imported_floors("from models.losses import x", "faststyle.infer") == {"tests"}


def test_every_way_to_import_a_room_is_seen():
    source = "import faststyle.infer.stylize.files\nfrom faststyle.infer import styles\n"
    source += "def f():\n from faststyle.infer.exported_model.tiles import x"
    assert imported_rooms(source, "faststyle.infer.compare") == {"stylize", "styles", "exported_model"}
    relative = "from . import y\nfrom ..optimize.z import y"
    assert imported_rooms(relative, "faststyle.infer.compare") == {"compare", "optimize"}


def test_all_floors_have_files():
    assert {path.parts[0] for path in SOURCE_FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", SOURCE_FILES, ids=str)
def test_arrows_only_point_down(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    assert path in FRONT_DOORS or imported_floors(source, package_of(path)) <= MAY_IMPORT[path.parts[0]]


def test_every_room_of_infer_has_its_arrows():
    rooms = {path.parts[1] for path in INSIDE_INFER}
    assert rooms == set(ROOMS_MAY_IMPORT)


@pytest.mark.parametrize("path", INSIDE_INFER, ids=str)
def test_arrows_between_the_rooms_of_infer_go_one_way(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    assert imported_rooms(source, package_of(path)) <= ROOMS_MAY_IMPORT[path.parts[1]]


def run_python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return result.stdout


@pytest.mark.parametrize("argv", [["--help"], *([name, "--help"] for name in commands())], ids=" ".join)
def test_help_imports_nothing_heavy(argv):
    output = run_python(
        "import sys; from faststyle.scripts.faststyle import main\n"
        f"try: main({argv})\n"
        "except SystemExit as error: print('exit status', error.code)\n"
        "print('modules', *{name.split('.')[0] for name in sys.modules})"
    )
    *help_text, status, modules = output.splitlines()
    assert help_text[0].startswith("usage: faststyle")
    assert status == "exit status 0"
    assert HEAVY.isdisjoint(modules.split())


def test_python_m_runs_the_command():
    usage = subprocess.run([sys.executable, "-m", "faststyle", "--help"], capture_output=True, text=True, check=True)
    assert usage.stdout.startswith("usage: faststyle")
    assert set(commands()) <= set(usage.stdout.split())
