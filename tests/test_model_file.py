from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from extractor import Model, ModelError
from extractor.features import FEATURES_VERSION, OWN_NAMES
from extractor.model_file import LARGEST_MODEL, default_model_path
from random_models import make_random_model


def stored_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        Model.load(path)
    message = str(caught.value)
    assert str(path) in message, "the message names the file"
    assert "\n" not in message
    return message


@pytest.fixture
def arrays(random_model_path: Path) -> dict[str, np.ndarray]:
    return stored_arrays(random_model_path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.npz"


def test_a_model_comes_back_as_it_was_saved(random_model: Model, random_model_path: Path) -> None:
    loaded = Model.load(str(random_model_path))
    assert loaded.card == random_model.card
    for part in ("wording", "cues", "kinds", "markup_kinds"):
        assert np.array_equal(getattr(loaded, part).weights, getattr(random_model, part).weights)
    assert not np.array_equal(loaded.kinds.weights, loaded.markup_kinds.weights)
    assert np.array_equal(loaded.phrases.tokens, random_model.phrases.tokens)
    assert np.array_equal(loaded.phrases.phrases, random_model.phrases.phrases)
    for name, classifier in random_model.classifiers.items():
        other = loaded.classifiers[name]
        assert other.second.names == classifier.second.names
        assert other.first.names == classifier.first.names
        assert np.array_equal(other.second.forest.leaves, classifier.second.forest.leaves)
        assert np.array_equal(other.slopes, classifier.slopes)


def test_the_same_model_gives_the_same_bytes(random_model: Model, random_model_path: Path, path: Path) -> None:
    make_random_model(seed=7).save(path)
    assert path.read_bytes() == random_model_path.read_bytes()
    make_random_model(seed=8).save(path)
    assert path.read_bytes() != random_model_path.read_bytes()


def test_the_shipped_model_loads_and_says_what_it_is(shipped_model: Model) -> None:
    assert shipped_model.card["features_version"] == FEATURES_VERSION
    assert default_model_path().stat().st_size < 40_000_000


def test_a_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nowhere.npz")


def test_a_folder(tmp_path: Path) -> None:
    assert "not a model" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY\x01\x00", bytes(range(256)) * 40])
def test_a_file_of_another_kind(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "not a model" in refusal(path)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_a_truncated_file(random_model_path: Path, path: Path, share: float) -> None:
    content = random_model_path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "not a model" in refusal(path)


def test_damaged_bytes(random_model_path: Path, path: Path) -> None:
    content = bytearray(random_model_path.read_bytes())
    for place in range(0, len(content), len(content) // 60):
        damaged = bytearray(content)
        damaged[place : place + 20] = bytes(byte ^ 0xFF for byte in damaged[place : place + 20])
        path.write_bytes(damaged)
        try:
            found = Model.load(path)
        except ModelError:
            continue
        # an archive has bytes that nobody reads, such as times: then the model is what it was
        found.save(path)
        assert path.read_bytes() == random_model_path.read_bytes()


@pytest.mark.parametrize("damage", ["is encrypted", "unknown compression", "stands past the end"])
def test_an_archive_whose_index_is_damaged(random_model_path: Path, path: Path, damage: str) -> None:
    place, byte = {"is encrypted": (8, 1), "unknown compression": (10, 99), "stands past the end": (45, 0x7F)}[damage]
    content = bytearray(random_model_path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + place] = byte
    path.write_bytes(content)
    assert "not a model" in refusal(path)


def test_a_model_written_compressed_still_loads(random_model: Model, path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez_compressed(path, **arrays)
    assert Model.load(path).card == random_model.card


def test_an_archive_of_other_arrays(path: Path) -> None:
    np.savez(path, weights=np.zeros(3))
    assert "not a model" in refusal(path)


def test_a_card_that_is_none(path: Path, arrays: dict[str, np.ndarray]) -> None:
    for card in (b"not JSON", b"[]", b"{}", b"\xff\xfe", b"3", b"[[[["):
        np.savez(path, **{**arrays, "card": np.frombuffer(card, np.uint8)})
        refusal(path)


def test_a_model_of_another_version(path: Path, arrays: dict[str, np.ndarray]) -> None:
    card = json.dumps({"features_version": FEATURES_VERSION + 1}).encode()
    np.savez(path, **{**arrays, "card": np.frombuffer(card, np.uint8)})
    message = refusal(path)
    assert f"features version {FEATURES_VERSION + 1}" in message
    assert "extractor train" in message


def test_every_part_is_needed(path: Path, arrays: dict[str, np.ndarray]) -> None:
    for name in arrays:
        np.savez(path, **{other: array for other, array in arrays.items() if other != name})
        refusal(path)


def test_every_part_has_its_shape(path: Path, arrays: dict[str, np.ndarray]) -> None:
    for name, array in arrays.items():
        tables = ("wording", "cues", "kinds", "markup_kinds")
        half = array[:, : len(array[0]) // 2] if name in tables else array[: len(array) // 2]
        np.savez(path, **{**arrays, name: half})
        refusal(path)


@pytest.mark.parametrize("part", ["leaves", "thresholds", "features", "bias"])
@pytest.mark.parametrize("kind", ["text", "html"])
def test_tampered_parts_no_longer_give_the_stored_outputs(
    path: Path, arrays: dict[str, np.ndarray], kind: str, part: str
) -> None:
    name = f"{kind}.second.{part}"
    tampered = arrays[name][::-1].copy()
    np.savez(path, **{**arrays, name: tampered})
    assert f"({kind})" in refusal(path)


def test_tampered_rows(path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(path, **{**arrays, "text.check_expected": arrays["text.check_expected"] + 0.01})
    assert "stored rows" in refusal(path)
    np.savez(path, **{**arrays, "text.check_expected": np.full_like(arrays["text.check_expected"], np.nan)})
    refusal(path)


def test_a_column_that_is_none(path: Path, arrays: dict[str, np.ndarray]) -> None:
    wrong = arrays["text.second.features"].copy()
    wrong[0, 0] = len(OWN_NAMES) + 10_000
    np.savez(path, **{**arrays, "text.second.features": wrong})
    assert "does not name" in refusal(path)


def test_a_column_that_this_version_does_not_have(path: Path, arrays: dict[str, np.ndarray]) -> None:
    named = [name for name in arrays if name.startswith("text.") and name.endswith("names")]
    renamed = {name: arrays[name].tobytes().replace(b"sentence_ends", b"sentence_enda") for name in named}
    np.savez(path, **{**arrays, **{name: np.frombuffer(text, np.uint8) for name, text in renamed.items()}})
    refusal(path)


def test_claims_of_more_than_a_model_can_hold_are_refused_unread(path: Path) -> None:
    half = bytes(LARGEST_MODEL // 2 + 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("card.npy", "another.npy"):
            archive.writestr(name, half)
    assert path.stat().st_size < 1_000_000
    assert "unfolds to" in refusal(path)


def test_a_header_that_claims_more_than_is_there(path: Path, arrays: dict[str, np.ndarray]) -> None:
    header = io.BytesIO()
    claim = {"descr": "|u1", "fortran_order": False, "shape": (1 << 50,)}
    np.lib.format.write_array_header_1_0(header, claim)
    np.savez(path, **{name: array for name, array in arrays.items() if name != "wording"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("wording.npy", header.getvalue())
    refusal(path)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a model file ran code",)


def test_nothing_that_can_run_code_is_loaded(path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(path, **{**arrays, "wording": np.array([Trap()], dtype=object)}, allow_pickle=True)
    refusal(path)
    path.write_bytes(pickle.dumps(Trap()))
    refusal(path)
