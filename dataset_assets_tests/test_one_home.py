"""Only `dataset` knows where the files of a data set lie, and makes the store of its tables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataset_assets import layout

PACKAGE = Path(__file__).parents[1] / "dataset_assets"
# It reads the register of watched films before there is a data set to ask.
EXCEPTION = PACKAGE / "config" / "register.py"
OUTSIDE = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if PACKAGE / "dataset" not in path.parents and path not in (EXCEPTION, PACKAGE / "layout.py")
]
STORES = {"TableStore", "CachedFooters"}
PLACES = {str(value) for name, value in vars(layout).items() if name.isupper()}


def violations(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STORES:
            yield f"line {node.lineno} makes a store"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left, right = ast.unparse(node.left), node.right
            if left.endswith("output_base_dir"):
                yield f"line {node.lineno} names a path below output_base_dir"
            is_place = isinstance(right, ast.Constant) and str(right.value) in PLACES
            if is_place and not left.endswith("path.parent"):
                yield f"line {node.lineno} names {ast.unparse(right)}"


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_other_module_names_a_path_of_a_data_set(path: Path) -> None:
    assert list(violations(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "line",
    [
        "TableStore(folder)",
        "settings.base.output_base_dir / settings.categories[name].folder",
        "data_set.folder / 'gallery' / 'index.html'",
    ],
)
def test_such_a_line_is_detected(line: str) -> None:
    assert list(violations(ast.parse(line)))
