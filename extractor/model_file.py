"""Model: what the classifier learned, in one .npz file of arrays and a JSON card, with no code in it.

The card says what the model was made of and how it scores; some rows with their expected output travel
along and are checked on load, so that a model that would label differently here is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes
from extractor.classifier import LineClassifier, Stage
from extractor.errors import ModelError
from extractor.features import CLASS_NAMES, FEATURES_VERSION, OWN_NAMES, REPETITION_NAMES
from extractor.forest import Forest
from extractor.kinds import KIND_NAMES, KIND_TABLES, KindTable, KindWeights, kind_table_of
from extractor.landmarks import LANDMARK_NAMES, Landmarks
from extractor.network import WORD_NAMES, Network
from extractor.phrase_table import PHRASE_NAMES, PhraseTable
from extractor.wording import WordingTable, table_of

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("text", "html")
_STAGES = ("second", "repetition")
TOLERANCE = 1e-5
LARGEST_MODEL = 1 << 27
"""Bytes that the arrays of a model may unfold to in all; a file that claims more is refused unread."""
_FOLDED = frozenset(
    ("wording", "cues", *KIND_TABLES, *(f"{name}_known" for name in KIND_TABLES), "phrase_gaps", "phrase_numbers")
)
"""Arrays that are stored compressed; all of them would make a model half the size, and take a third longer to load."""
_HINT = "use a model made by this version of extractor, or train one with: extractor train"


class Check(NamedTuple):
    """Columns of some lines of one page, and the probabilities that the model gives them."""

    names: tuple[str, ...]
    columns: Bytes
    expected: NDArray[np.float64]

    def difference(self, classifier: LineClassifier) -> float:
        """The largest difference between expected and computed probabilities."""
        columns = dict(zip(self.names, self.columns, strict=True))
        found = classifier.judge(columns, np.array([0, self.columns.shape[1]])).probabilities
        return float(np.abs(found - self.expected).max(initial=0.0))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Model:
    """A trained classifier for dumps and one for HTML, with the tables they read: of words, of class names, and of
    what words, and in HTML class names, title and address say of the kind of a page; landmarks: of the sites that the
    model was taught, by format. phrases: those known in many languages."""

    wording: WordingTable
    cues: WordingTable
    kinds: KindTable
    markup_kinds: KindTable
    phrases: PhraseTable
    classifiers: Mapping[str, LineClassifier]
    checks: Mapping[str, Check]
    card: Mapping[str, Any]
    landmarks: Mapping[str, Landmarks] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model. ModelError for a file that is missing, damaged, foreign or of another version."""
        import json

        file = os.fspath(path)
        try:
            arrays = _read_arrays(file)
            card = json.loads(arrays["card"].tobytes())
            version = card["features_version"]
        except FileNotFoundError:
            raise ModelError(f"{path}: no such file; give the path of a model (.npz)") from None
        except _damages() as error:
            reason = f"it has no {error.args[0]}" if isinstance(error, KeyError) else error
            raise ModelError(f"{path}: not a model, or a damaged one ({reason}); {_HINT}") from None
        if version != FEATURES_VERSION:
            raise ModelError(f"{path}: made for features version {version}, this is {FEATURES_VERSION}; {_HINT}")
        try:
            model = cls._from_arrays(arrays, card)
            differences = {name: model.checks[name].difference(model.classifiers[name]) for name in FORMATS}
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError) as error:
            raise ModelError(f"{path}: parts are missing or do not fit ({error}); {_HINT}") from None
        wrong = [name for name, difference in differences.items() if not difference <= TOLERANCE]
        if wrong:
            raise ModelError(f"{path}: stored rows no longer give their stored outputs ({', '.join(wrong)}); {_HINT}")
        return model

    @classmethod
    def default(cls) -> Model:
        """The model that the package ships, read once."""
        return _default_model()

    def save(self, path: str | Path) -> None:
        """Write the model, the same bytes for the same model. The folder must exist."""
        import json
        from pathlib import Path

        arrays: dict[str, Array] = {
            "card": np.frombuffer(json.dumps(self.card, sort_keys=True, indent=1).encode(), np.uint8),
            "wording": self.wording.weights,
            "cues": self.cues.weights,
            "kinds": self.kinds.weights,
            "kinds_known": self.kinds.known,
            "markup_kinds": self.markup_kinds.weights,
            "markup_kinds_known": self.markup_kinds.known,
            "phrase_gaps": np.diff(self.phrases.tokens, prepend=np.uint32(0)),  # half the size of the tokens, folded
            "phrase_numbers": self.phrases.phrases,
        }
        for name in FORMATS:
            classifier, check = self.classifiers[name], self.checks[name]
            arrays |= {f"{name}.slopes": classifier.slopes, f"{name}.intercepts": classifier.intercepts}
            arrays |= {f"{name}.check_names": _text_array(check.names), f"{name}.check_columns": check.columns}
            arrays[f"{name}.check_expected"] = check.expected
            arrays |= {f"{name}.first.{part}": array for part, array in classifier.first.arrays().items()}
            for part in _STAGES:
                arrays |= _stage_arrays(f"{name}.{part}", getattr(classifier, part))
            arrays[f"{name}.kind"] = classifier.kind.weights
        for name, landmarks in self.landmarks.items():
            arrays |= {f"{name}.landmarks.{part}": array for part, array in landmarks.arrays().items()}
        from extractor.files import write_atomically  # not needed to label a page

        write_atomically(Path(path), _archive(arrays))

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, Array], card: dict[str, Any]) -> Model:
        classifiers, checks = {}, {}
        for name in FORMATS:
            first = Network.of_arrays(_under(f"{name}.first.", arrays))
            second, repetition = (_stage(f"{name}.{part}", arrays) for part in _STAGES)
            kind = KindWeights(arrays[f"{name}.kind"])
            slopes, intercepts = arrays[f"{name}.slopes"], arrays[f"{name}.intercepts"]
            classifiers[name] = LineClassifier(first, second, repetition, kind, slopes, intercepts)
            known = {*OWN_NAMES, *PHRASE_NAMES, *KIND_NAMES, *REPETITION_NAMES, *WORD_NAMES}
            missing = known ^ {*_texts(arrays[f"{name}.check_names"])} - {*LANDMARK_NAMES}
            if name == "text" and missing:
                raise ValueError(f"columns that this version does not know, or lacks: {', '.join(sorted(missing))}")
            checks[name] = Check(
                _texts(arrays[f"{name}.check_names"]), arrays[f"{name}.check_columns"], arrays[f"{name}.check_expected"]
            )
        wording, cues = (table_of(arrays[part], len(CLASS_NAMES)) for part in ("wording", "cues"))
        landmarks = {
            name: Landmarks.of_arrays(parts) for name in FORMATS if (parts := _under(f"{name}.landmarks.", arrays))
        }
        kinds, markup_kinds = (kind_table_of(arrays[part], arrays[f"{part}_known"]) for part in KIND_TABLES)
        phrases = PhraseTable(np.cumsum(arrays["phrase_gaps"], dtype=np.uint32), arrays["phrase_numbers"])
        return cls(wording, cues, kinds, markup_kinds, phrases, classifiers, checks, card, landmarks)


def _under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _damages() -> tuple[type[Exception], ...]:
    """What reading a file raises that is damaged or something else."""
    from struct import error as StructError  # noqa: N812  these are errors by another name only
    from tokenize import TokenError
    from zipfile import BadZipFile
    from zlib import error as ZlibError  # noqa: N812

    # RuntimeError: an encrypted archive; under it, RecursionError and NotImplementedError
    named = (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        TypeError,
        MemoryError,
        RuntimeError,
        OverflowError,
        AttributeError,
        SyntaxError,  # of the header of an array, which is Python
    )
    return (*named, BadZipFile, ZlibError, StructError, TokenError)


def _read_arrays(path: str) -> dict[str, Array]:
    """What np.load() gives, with the archive opened once, and nothing read of one that claims too much."""
    from zipfile import ZipFile

    with ZipFile(path) as archive:
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if size > LARGEST_MODEL:
            raise ValueError(f"it unfolds to {size:,} bytes, and no model to more than {LARGEST_MODEL:,}")
        read = np.lib.format.read_array
        return {
            entry.filename.removesuffix(".npy"): read(BytesIO(archive.read(entry)), allow_pickle=False)
            for entry in entries
        }


def _archive(arrays: Mapping[str, Array]) -> bytes:
    """What np.savez() would write, but with the arrays of _FOLDED compressed, and the same bytes every time."""
    from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            part = BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            archive.writestr(ZipInfo(f"{name}.npy"), part.getvalue(), ZIP_DEFLATED if name in _FOLDED else ZIP_STORED)
    return content.getvalue()


def _stage_arrays(prefix: str, stage: Stage) -> dict[str, Array]:
    forest = stage.forest
    return {
        f"{prefix}.names": _text_array(stage.names),
        f"{prefix}.features": forest.features,
        f"{prefix}.thresholds": forest.thresholds,
        f"{prefix}.leaves": forest.leaves,
        f"{prefix}.scale": np.array([forest.scale]),
        f"{prefix}.bias": forest.bias,
    }


def _stage(prefix: str, arrays: Mapping[str, Array]) -> Stage:
    forest = Forest(
        arrays[f"{prefix}.features"], arrays[f"{prefix}.thresholds"], arrays[f"{prefix}.leaves"],
        float(arrays[f"{prefix}.scale"][0]), arrays[f"{prefix}.bias"],
    )  # fmt: skip
    names = _texts(arrays[f"{prefix}.names"])
    if forest.features.min() < 0 or forest.features.max() >= len(names):
        raise ValueError(f"{prefix} asks for a column that it does not name")
    return Stage(names, forest)


def _text_array(names: tuple[str, ...]) -> Array:
    return np.frombuffer("\n".join(names).encode(), np.uint8)


def _texts(array: Array) -> tuple[str, ...]:
    return tuple(array.tobytes().decode().split("\n"))


@lru_cache(maxsize=1)
def _default_model() -> Model:
    return Model.load(default_model_path())


def default_model_path() -> Path:
    """Where the shipped model lies: inside the installed package, or in models/ beside it in a checkout."""
    from pathlib import Path  # not loaded by what only imports this package

    package = Path(__file__).parent
    inside, beside = (folder / "models" / "default.npz" for folder in (package, package.parent))
    return inside if inside.exists() else beside
