"""What all tests share: the shipped model, or a random one of the same make for where scores do not matter."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from extractor import Model
from extractor.model_file import default_model_path
from random_models import make_random_model

# where the tests run in the background of a shell, Ctrl-C is ignored, and so would the commands that they stop by it
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def random_model() -> Model:
    """A model whose trees are random: every part is there, only the labels make no sense."""
    return make_random_model(seed=7)


@pytest.fixture(scope="session")
def random_model_path(random_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "random.npz"
    random_model.save(path)
    return path


@pytest.fixture(scope="session")
def shipped_model() -> Model:
    return Model.default()


@pytest.fixture(params=["shipped", "random"])
def model(request: pytest.FixtureRequest) -> Model:
    """Both models in turn: what must hold of any model holds of these."""
    if request.param == "shipped" and not default_model_path().exists():
        pytest.skip("models/default.npz is missing; make it with: make model")
    found: Model = request.getfixturevalue(f"{request.param}_model")
    return found
