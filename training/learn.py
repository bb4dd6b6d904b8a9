"""The training loop, which resumes where an earlier run was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from training.batches import TrainingBatches
from training.branches import own_errors
from training.pace import Pace
from training.recipe import Recipe
from training.watch import Watch

_WARM_UP = 3
"""Epochs of warm-up"""


def learn(
    network: Any,
    batches: TrainingBatches,
    watch: Watch,
    recipe: Recipe,
    pace: Callable[[int, float], None] | None,
) -> int:
    """Train a network, resuming an interrupted run, and restore its best weights; returns the epochs."""
    network.compile(
        optimizer=_optimizer(recipe, len(batches)),
        loss=own_errors,
        jit_compile=False,
    )
    done = watch.take_up(network)
    if not watch.is_over(done):
        callbacks = [watch, *([Pace(len(batches), pace)] if pace else [])]
        network.fit(
            batches, initial_epoch=done, epochs=recipe.epochs, shuffle=False, verbose=0, callbacks=callbacks
        )
    epochs = watch.epochs_of(network)
    watch.restore_best(network)
    return epochs


def learning_rates(recipe: Recipe, steps: int) -> Any:
    """The learning-rate schedule for epochs of `steps` batches."""
    # With fewer than six epochs, a warm-up of three would leave too little. With six to nine, as in runs by
    # surroundings.toml, it stays at three, so that published results can be reproduced.
    warm_up = min(steps * _WARM_UP, max(1, steps * recipe.epochs // 2))
    return keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, steps * recipe.epochs - warm_up),
        alpha=0.01,
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
    )


def _optimizer(recipe: Recipe, steps: int) -> Any:
    return keras.optimizers.AdamW(
        learning_rates(recipe, steps),
        weight_decay=recipe.weight_decay,
        clipnorm=1.0,
    )
