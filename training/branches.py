"""Several branches in one network: each is trained with its own loss, and their logits are averaged.

Branches that are trained with the loss of their mean rely on each other. Those that are trained separately
make different errors, so that their mean is better than any of them (Lee et al., "Why M heads are better than
one: training a diverse ensemble of deep networks", 2015).
"""

from __future__ import annotations

from typing import Any

import keras


def heads(network: Any) -> list[Any]:
    """The output layers, in order: those that turn one vector for each window into logits."""
    return [
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.Dense) and len(layer.output.shape) == len(network.output.shape)
    ]


def learner(network: Any) -> Any:
    """The model to train: it gives the logits of all branches in a row, (n, n_branches * n_labels)."""
    answers = [head.output for head in heads(network)]
    return network if len(answers) == 1 else keras.Model(network.input, keras.layers.Concatenate()(answers))


def own_errors(targets: Any, logits: Any) -> Any:
    """Mean over the branches of their cross-entropy, shape (n,).

    Args:
        targets: shape (n, n_labels), rows that add up to 1.
        logits: of a `learner`.
    """
    n_labels = targets.shape[-1]
    errors = [
        keras.losses.categorical_crossentropy(targets, logits[:, at : at + n_labels], from_logits=True)
        for at in range(0, logits.shape[-1], n_labels)
    ]
    return sum(errors) / len(errors)
