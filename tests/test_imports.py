"""The house: arrows only point down, `scripts -> train -> infer -> models`; and `--help` imports nothing heavy."""

import argparse
import ast
import subprocess
import sys
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
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "jax", "scipy", "skimage", "openvino", "matplotlib"}
SOURCE_FILES = [path.relative_to(ROOT) for floor in MAY_IMPORT for path in sorted((ROOT / floor).rglob("*.py"))]


def imported_floors(source: str, floor: str) -> set[str]:
    """Which of our packages a source file of `floor` imports, at its top or inside a function."""
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules.append(floor if node.level else node.module)
    return {module.split(".")[0] for module in modules} & FLOORS


def commands() -> list[str]:
    subcommands = argparse.ArgumentParser().add_subparsers()
    for add_command in COMMANDS:
        add_command(subcommands)
    return list(subcommands.choices)


def test_every_way_to_import_is_seen():
    source = "import train.trainer as t, numpy\ndef f():\n  if True:\n    from infer.images import x\nfrom . import y\n"
    assert imported_floors(source, "models") == {"train", "infer", "models"}


def test_all_four_floors_have_files():
    assert {path.parts[0] for path in SOURCE_FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", SOURCE_FILES, ids=str)
def test_arrows_only_point_down(path):
    floor = path.parts[0]
    assert imported_floors((ROOT / path).read_text(encoding="utf-8"), floor) <= MAY_IMPORT[floor]


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
