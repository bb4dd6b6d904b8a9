"""Ablation: variants of one recipe, each with a small change, on the same folds and seeds.

Settings are chosen by the figures of the validation speakers; those of the test speakers are only for
information.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from training.augment import check_augmentable
from training.errors import WorkbenchError
from training.fold import FoldResult
from training.metrics import uar
from training.provenance import listed
from training.recipe import Recipe

BASE = "as it is"
"""Name of the unchanged recipe"""


class AblationError(WorkbenchError):
    """Raised when a plan cannot be used; the message says where and why."""


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the table."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[^,]+$")]
    """Without commas, which separate the names on the command line"""

    change: dict[str, Any]
    """Changed settings of the recipe, in its own tables; all others stay"""

    @property
    def slug(self) -> str:
        """The name as a part of a path."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plan of an ablation, a TOML file: what is compared, and on which folds."""

    protocol: str
    """Such as P1 or P8"""

    folds: tuple[str, ...] | None = None
    """All folds, if none is named"""

    seeds: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Runs of each fold, with seeds 0, 1, …"""

    recipe: str = ""
    """A recipe's file, or the name of a shipped one; by default the built-in settings"""

    change: dict[str, Any] = {}
    """Changed settings of the recipe for every variant, such as fewer steps"""

    validation_speakers: Annotated[int, msgspec.Meta(ge=1)] = 4
    """Speakers held out of the training folds, to measure the gain on"""

    variants: tuple[Variant, ...]


def load_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        AblationError: when the file is missing or is not a valid plan.
    """
    try:
        plan = msgspec.toml.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        raise AblationError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise AblationError(f"{path}: {error}") from error
    slugs = [variant.slug for variant in plan.variants]
    twice = {
        slug for slug in slugs if slugs.count(slug) > 1 or slug in {"", Variant(name=BASE, change={}).slug}
    }
    if twice:
        raise AblationError(
            f"{path}: the name {twice.pop()!r} is empty, reserved or used twice; give each variant its own"
        )
    return plan


def chosen(plan: Plan, only: Sequence[str] | None, where: str) -> list[Variant]:
    """The unchanged recipe, then all variants or only those named.

    Raises:
        AblationError: when the plan has no variant of a name; the message names `where`.
    """
    unknown = set(only or ()) - {BASE, *(variant.name for variant in plan.variants)}
    if unknown:
        there = ", ".join(variant.name for variant in plan.variants)
        raise AblationError(f"{where}: no variant is called {', '.join(sorted(unknown))}; there are: {there}")
    rest = [variant for variant in plan.variants if only is None or variant.name in only]
    return [Variant(name=BASE, change={}), *rest]


def changed(recipe: Recipe, change: dict[str, Any], where: str) -> Recipe:
    """A recipe with a change applied.

    Raises:
        AblationError: when the result is not a valid recipe; the message names `where`.
    """
    try:
        made = msgspec.convert(_merged(msgspec.to_builtins(recipe), change), Recipe)
        check_augmentable(made.mfcc_config)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise AblationError(f"{where}: {error}") from error
    return made


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in change.items():
        inner = base.get(key)
        made[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return made


def row(
    variant: Variant, results: Sequence[FoldResult], base: Sequence[FoldResult] | None = None
) -> dict[str, Any]:
    """The figures of one variant; with a base, also the mean and spread of its gain over folds and seeds."""
    made = {
        "name": variant.name,
        "change": variant.change,
        "parameters": results[0].parameters,
        "runs": len(results),
        "commit": listed(r.commit for r in results),
        "validation_uar": _mean(_validation(results)),
        "test_uar": _mean(_test(results)),
    }
    if base is None:
        return made
    gains = {
        "validation": np.subtract(_validation(results), _validation(base)),
        "test": np.subtract(_test(results), _test(base)),
    }
    for name, gain in gains.items():
        made[f"{name}_gain"] = _mean(gain)
        made[f"{name}_spread"] = round(float(np.std(gain, ddof=1)), 4) if len(gain) > 1 else None
    return made


def ablation_result(
    plan: Plan, rows: Sequence[dict[str, Any]], command: str, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """All rows so far, the base first, as published.

    Args:
        plan: what to measure.
        rows: measured now; the first is the base.
        command: to record.
        before: an earlier result. Rows of it that are not among `rows` are kept if they are of this plan.

    Raises:
        AblationError: when these rows were measured against a base with other figures.
    """
    settings = {
        "protocol": plan.protocol,
        "recipe": plan.recipe,
        "change": plan.change,
        "folds": list(plan.folds) if plan.folds else None,
        "seeds": plan.seeds,
        "validation_speakers": plan.validation_speakers,
    }
    rows = _with_kept(plan, settings, rows, before) if before else rows
    return {
        "command": command,
        "commit": listed(row["commit"] for row in rows),
        **settings,
        "variants": len(plan.variants),
        "rows": list(rows),
    }


def _with_kept(
    plan: Plan, settings: dict[str, Any], rows: Sequence[dict[str, Any]], before: dict[str, Any]
) -> list[dict[str, Any]]:
    """The rows, and those of an earlier result with the same settings, in the order of the plan."""
    if any(before.get(name) != value for name, value in settings.items()):
        return list(rows)
    known = {row["name"]: {"commit": before.get("commit"), **row} for row in before["rows"]}
    made = {row["name"]: row for row in rows}
    wanted = {BASE: {}, **{variant.name: variant.change for variant in plan.variants}}
    kept = [
        name
        for name, change in wanted.items()
        if name in known and name not in made and known[name]["change"] == change
    ]
    figures = ("validation_uar", "test_uar")
    if kept and any(known[BASE][figure] != made[BASE][figure] for figure in figures):
        raise AblationError(
            f"the results of {len(kept)} other variants, such as {kept[0]!r}, were measured against a base "
            "with other figures: name another file (--output), or remove that one"
        )
    return [made.get(name) or known[name] for name in wanted if name in made or name in kept]


def _validation(results: Sequence[FoldResult]) -> list[float]:
    return [float(result.validation_uar or 0.0) for result in _ordered(results)]


def _test(results: Sequence[FoldResult]) -> list[float]:
    return [uar(np.array(r.truth), np.array(r.int8_answers)) for r in _ordered(results)]


def _ordered(results: Sequence[FoldResult]) -> list[FoldResult]:
    return sorted(results, key=lambda result: (result.seed, result.fold))


def _mean(values: Any) -> float:
    return round(float(np.mean(values)), 4)
