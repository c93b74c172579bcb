"""The house: arrows only point down, `scripts -> train -> infer -> models`; and `--help` imports nothing heavy.

Within infer they go one way too: `compare -> optimize, stylize -> network -> styles -> images`.
"""

import argparse
import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

from scripts.faststyle import COMMANDS

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "models": {"models"},
    "infer": {"infer", "models"},
    "train": {"train", "infer", "models"},
    "scripts": {"scripts", "train", "infer", "models"},
}
FLOORS = {*MAY_IMPORT, "tests"}
ROOMS_MAY_IMPORT = {  # the folders of infer/; its own few files know no folder, but for the front doors
    "images": {"images"},
    "styles": {"styles", "images"},
    "network": {"network", "styles", "images"},
    "stylize": {"stylize", "network", "styles", "images"},
    "optimize": {"optimize", "styles", "images"},
    "compare": {"compare", "optimize", "stylize", "network", "styles", "images"},
}
FRONT_DOORS = {Path("infer/__init__.py"), Path("infer/__main__.py")}
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "jax", "scipy", "skimage", "openvino", "matplotlib"}
SOURCE_FILES = [path.relative_to(ROOT) for floor in MAY_IMPORT for path in sorted((ROOT / floor).rglob("*.py"))]
INSIDE_INFER = [path for path in SOURCE_FILES if path.parts[0] == "infer" and path not in FRONT_DOORS]


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


def imported_floors(source: str, package: str) -> set[str]:
    return {module.split(".")[0] for module in imported_modules(source, package)} & FLOORS


def imported_rooms(source: str, package: str) -> set[str]:
    names = [module.split(".") for module in imported_modules(source, package)]
    return {parts[1] for parts in names if parts[0] == "infer" and len(parts) > 1} & set(ROOMS_MAY_IMPORT)


def commands() -> list[str]:
    subcommands = argparse.ArgumentParser().add_subparsers()
    for add_command in COMMANDS:
        add_command(subcommands)
    return list(subcommands.choices)


def test_every_way_to_import_is_seen():
    source = "import train.trainer as t, numpy\ndef f():\n  if True:\n    from infer.images import x\nfrom . import y\n"
    assert imported_floors(source, "models") == {"train", "infer", "models"}


def test_every_way_to_import_a_room_is_seen():
    source = "import infer.images.files\nfrom infer import styles\ndef f():\n from infer.network.tiles import x"
    assert imported_rooms(source, "infer.compare") == {"images", "styles", "network"}
    relative = "from . import y\nfrom ..optimize.z import y"
    assert imported_rooms(relative, "infer.compare") == {"compare", "optimize"}


def test_all_four_floors_have_files():
    assert {path.parts[0] for path in SOURCE_FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", SOURCE_FILES, ids=str)
def test_arrows_only_point_down(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    assert imported_floors(source, ".".join(path.parent.parts)) <= MAY_IMPORT[path.parts[0]]


def test_every_room_of_infer_has_its_arrows():
    rooms = {path.parts[1] for path in INSIDE_INFER if len(path.parts) > 2}
    assert rooms == set(ROOMS_MAY_IMPORT)


@pytest.mark.parametrize("path", INSIDE_INFER, ids=str)
def test_arrows_between_the_rooms_of_infer_go_one_way(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    allowed = ROOMS_MAY_IMPORT.get(path.parts[1], set())
    assert imported_rooms(source, ".".join(path.parent.parts)) <= allowed


def run_python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return result.stdout


@pytest.mark.parametrize("argv", [["--help"], *([name, "--help"] for name in commands())], ids=" ".join)
def test_help_imports_nothing_heavy(argv):
    output = run_python(
        "import sys; from scripts.faststyle import main\n"
        f"try: main({argv})\n"
        "except SystemExit as error: print('exit status', error.code)\n"
        "print('modules', *{name.split('.')[0] for name in sys.modules})"
    )
    *help_text, status, modules = output.splitlines()
    assert help_text[0].startswith("usage: faststyle")
    assert status == "exit status 0"
    assert HEAVY.isdisjoint(modules.split())


@pytest.mark.parametrize("module", ["train", "infer"])
def test_python_m_has_the_same_commands(module):
    usage = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", module, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert any(line.strip().startswith(tuple(commands())) for line in usage.stdout.splitlines())
    imported = {line.split("|")[-1].strip().split(".")[0] for line in usage.stderr.splitlines()}
    assert "argparse" in imported
    assert HEAVY.isdisjoint(imported)
