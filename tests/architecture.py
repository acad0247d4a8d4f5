"""Reads the packages as syntax trees and finds what breaks the house's rules; the plan itself is in test_architecture.py.

Nothing is imported, so a broken or heavy module is judged as fast as any other.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported module: where it stands (`bot/policy.py:12`), its full name, and the function it hides in."""

    place: str
    module: str
    function: str | None


@dataclass(frozen=True)
class Module:
    """One source file, parsed. `path` is relative to the root, with `/`."""

    name: str
    path: str
    text: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def is_init(self) -> bool:
        """Whether the file is a package's `__init__.py`."""
        return self.path.endswith("/__init__.py")


House = Mapping[str, Module]


def read_house(root: Path, parts: Sequence[str]) -> House:
    """Parse `part.py` and every file below `part/` under `root`; modules by their full name."""
    files = sorted(
        file
        for part in parts
        for file in (root / f"{part}.py", *(root / part).rglob("*.py"))
        if file.is_file()
    )
    names = {file: _module_name(file.relative_to(root)) for file in files}
    known = frozenset(names.values())
    return {name: _read(file, file.relative_to(root).as_posix(), name, known) for file, name in names.items()}


def wrong_directions(house: House, allowed: Mapping[str, Collection[str]]) -> list[str]:
    """Imports between parts that `allowed` (part → parts that it may import) does not have."""
    return [
        f"{found.place} imports {found.module}, but {part} may import only "
        f"{', '.join(sorted(allowed[part])) or 'libraries'}. Move the code down, or hand the value in from above."
        for module in house.values()
        for part in [_top(module.name)]
        for found in module.imports
        if _top(found.module) != part
        and _top(found.module) in _parts(allowed)
        and _top(found.module) not in allowed[part]
    ]


def rooms_off_the_plan(house: House, package: str, floors: Sequence[Collection[str]]) -> list[str]:
    """Modules of `package` that stand on none of the floors."""
    return [
        f"{module.path}:1 stands on no floor. Add {module.name} to FLOORS, on the lowest one that fits."
        for module in house.values()
        if _top(module.name) == package and module.name != package and _floor(module.name, floors) is None
    ]


def upward_imports(house: House, floors: Sequence[Collection[str]]) -> list[str]:
    """Imports of a room on a higher floor; floors are listed from the top, and a floor may import itself."""
    problems = []
    for module in house.values():
        here = _floor(module.name, floors)
        for found in module.imports:
            there = _floor(found.module, floors)
            if here is not None and there is not None and there < here:
                problems.append(
                    f"{found.place} imports {found.module}, which lies on a higher floor. "
                    "Move what is shared down, or hand the value in from above."
                )
    return problems


def circles(house: House) -> list[str]:
    """The first circle of imports between modules, if there is one."""
    graph = {
        m.name: {found.module for found in m.imports if found.module in house} - {m.name}
        for m in house.values()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring = list(reversed(error.args[1]))
        places = [
            found.place
            for here, there in pairwise(ring)
            for found in house[here].imports
            if found.module == there
        ]
        return [
            f"{places[0]} closes a circle: {' → '.join(ring)}. Move what they share into a module below them all."
        ]
    return []


def hidden_imports(house: House) -> list[str]:
    """Imports inside functions, and imports by a string."""
    inside = [
        f"{found.place} imports {found.module} inside {found.function}(). Import at the top; where that makes a circle, "
        "mend the circle."
        for module in house.values()
        for found in module.imports
        if found.function is not None
    ]
    by_string = [
        f"{module.path}:{call.lineno} imports by a string, which no test can follow. Import at the top."
        for module in house.values()
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and _last_name(call.func) in {"__import__", "import_module"}
    ]
    return inside + by_string


def inits_with_code(house: House) -> list[str]:
    """`__init__.py` files that hold anything but a docstring."""
    return [
        f"{module.path}:{module.tree.body[-1].lineno if module.tree.body else 1} must hold a docstring and nothing else. "
        "Put code into a module of its own and import from that."
        for module in house.values()
        if module.is_init and not (len(module.tree.body) == 1 and ast.get_docstring(module.tree))
    ]


def heavy_imports(house: House, heavy: Collection[str], allowed: Mapping[str, Collection[str]]) -> list[str]:
    """Imports of heavy libraries in files that `allowed` (path pattern → libraries) does not name for them."""
    return [
        f"{found.place} imports {library}, which only these may: {', '.join(_patterns(library, allowed)) or 'none'}. "
        "Use it through one of them, behind a protocol that a fake can fill."
        for module in house.values()
        for found in module.imports
        for library in [_top(found.module)]
        if library in heavy
        and not any(fnmatch(module.path, pattern) for pattern in _patterns(library, allowed))
    ]


def stale_permissions(house: House, allowed: Mapping[str, Collection[str]]) -> list[str]:
    """Entries of `allowed` that no file needs."""
    used = {(module.path, _top(found.module)) for module in house.values() for found in module.imports}
    return [
        f"HEAVY lets {pattern} import {library}, and nothing there does. Remove the entry."
        for pattern, libraries in allowed.items()
        for library in sorted(libraries)
        if not any(fnmatch(path, pattern) and name == library for path, name in used)
    ]


def environment_use(house: House, readers: Collection[str], setters: Collection[str]) -> list[str]:
    """Places that read (or, outside `setters`, set) the environment or kefu.toml."""
    problems = []
    for module in house.values():
        if module.path in readers:
            continue
        set_nodes = set(_set_environments(module.tree)) if module.path in setters else set()
        lines = [node.lineno for node in _environments(module.tree) if node not in set_nodes]
        lines += [
            int(found.place.rpartition(":")[2]) for found in module.imports if found.module == "tomllib"
        ]
        problems += [
            f"{module.path}:{line} touches the environment or a settings file. Only {', '.join(sorted(readers))} reads "
            "them: add a field there and hand its value in."
            for line in sorted(set(lines))
        ]
    return problems


def long_files(house: House, limit: int) -> list[str]:
    """Files with more lines than `limit`."""
    counts = {module.path: len(module.text.splitlines()) for module in house.values()}
    return [
        f"{path}:{limit + 1} is too far: the file has {count} lines, the limit is {limit}. Split it along its sections."
        for path, count in counts.items()
        if count > limit
    ]


def undescribed_files(house: House) -> list[str]:
    """Files without a module docstring."""
    return [
        f"{module.path}:1 has no docstring. Say in its first line what the file is."
        for module in house.values()
        if not ast.get_docstring(module.tree)
    ]


def _read(file: Path, path: str, name: str, known: Collection[str]) -> Module:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=path)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    return Module(name, path, text, tree, tuple(_imports(tree, path, package, known)))


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imports(
    tree: ast.AST, path: str, package: str, known: Collection[str], function: str | None = None
) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for module in _targets(node, package, known):
                yield Import(f"{path}:{node.lineno}", module, function)
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from _imports(node, path, package, known, inner)


def _targets(node: ast.Import | ast.ImportFrom, package: str, known: Collection[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)
    for alias in node.names:
        yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base


def _environments(tree: ast.Module) -> Iterator[ast.Attribute | ast.ImportFrom]:
    names = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=owner, attr=attr) if attr in names and _last_name(owner) == "os":
                yield node
            case ast.ImportFrom(module="os", names=imported) if names & {alias.name for alias in imported}:
                yield node


def _set_environments(tree: ast.Module) -> Iterator[ast.expr]:
    """`os.environ[…] = …`, and `os.environ.update(…)` or `.setdefault(…)` whose result nobody reads."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield node.value
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value.func
            if isinstance(call, ast.Attribute) and call.attr in {"update", "setdefault"}:
                yield call.value


def _last_name(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def _top(module: str) -> str:
    return module.partition(".")[0]


def _parts(allowed: Mapping[str, Collection[str]]) -> set[str]:
    return set(allowed) | {"tests", "benchmarks", "docs"}


def _patterns(library: str, allowed: Mapping[str, Collection[str]]) -> list[str]:
    return [pattern for pattern, libraries in allowed.items() if library in libraries]


def _floor(module: str, floors: Sequence[Collection[str]]) -> int | None:
    rooms = ((number, room) for number, floor in enumerate(floors) for room in floor)
    return next((number for number, room in rooms if module == room or module.startswith(f"{room}.")), None)
