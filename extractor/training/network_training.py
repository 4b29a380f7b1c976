"""Labelled pages -> networks: the first stage of the classifier.

Fitted with PyTorch in floating point, then exported as whole numbers (network.py). The seed is fixed, and one thread
does it all: the same pages give the same network on the same versions and processor family.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from extractor.network import Network
from extractor.training.network_batches import Batches
from extractor.training.network_export import exported
from extractor.training.network_module import NetworkModule, NetworkSettings
from extractor.training.network_pages import NetworkPages


def fit_network(pages: NetworkPages, settings: NetworkSettings, seed: int = 0) -> Network:
    """A network of these pages, in whole numbers."""
    torch.set_num_threads(1)  # two would wait for each other longer than they work, where others work too
    torch.manual_seed(seed)
    batches = Batches(pages)
    sizes, kinds = len(batches.names), len(batches.kind_names)
    module = NetworkModule(sizes, kinds, settings, np.random.default_rng(seed))
    random = np.random.default_rng(seed)
    draws = [epoch % batches.draws for epoch in range(settings.epochs)]
    steps = sum(len(batches.groups(np.random.default_rng(seed), draw)) for draw in draws)
    optimiser = torch.optim.Adam(module.parameters(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.rate, total_steps=int(steps * 1.1) + 50, pct_start=0.1
    )
    for draw in draws:
        for group in batches.groups(random, draw):
            batch = batches.batch(group)
            loss = functional.cross_entropy(module(batch), batch.classes, reduction="none")
            optimiser.zero_grad()
            ((loss * batch.weights).sum() / batch.weights.sum()).backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    module.eval()
    return exported(module, batches)
