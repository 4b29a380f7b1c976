"""Write extractor/character_classes.npy: what each code point is, as runs. Run when Unicode moves on.

Its rows: the code point that a run begins with, its class, and how far its folded form is off.

The table is stored, not computed at import, so that labels do not depend on the Unicode version of the
Python that runs, and since asking for 131,000 code points takes longer than everything else at import.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np

from extractor.characters import LIMIT
from extractor.characters import CharacterClass as C

EXACT = {
    C.SENTENCE_END: ".!?…。！？؟۔।॥።։．｡‽",
    C.COMMA: ",;、，；،؛､",
    C.COLON: ":：︰",
    C.QUOTE: "\"'«»“”‘’„‚‹›「」『』〝〞＂＇`´",
    C.BRACKET: "()[]{}（）【】［］《》〈〉〔〕｛｝",
    C.DASH: "-–—―‐‑‒−－~～〜",
    C.PIPE: "|｜¦│┃║",
    C.COPYRIGHT: "©®™℠",
    C.AT: "@＠",
    C.CURRENCY: "$€£¥₹₽₩₴₺₪₫฿￥＄",
    C.SLASH: "/\\／＼",
    C.ARROW: "><›»→←↑↓⇒➜▶◀►◄▲▼▸▾▴◂⟶＞＜❯❮",
    C.BULLET: "•·▪●■◦‣∙*◆◇○□★☆✓✔✕✖×※♦♥❖",
    C.CODE: "#_=^+<%&＃＿＝＋％＆",
}
# scripts written without spaces between words
NO_SPACES = (
    (0x0E01, 0x0EDF), (0x0F40, 0x0FBC), (0x1000, 0x109F), (0x1780, 0x17DD), (0x2E80, 0x2FDF), (0x3005, 0x3007),
    (0x3021, 0x3029), (0x3041, 0x30FF), (0x3105, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B2FF),
)  # fmt: skip


def character_class(code: int) -> int:
    character = chr(code)
    if character == "\n":
        return C.NEWLINE
    if character.isspace():
        return C.SPACE
    for found, members in EXACT.items():
        if character in members:
            return found
    category = unicodedata.category(character)
    if category[0] == "N":
        return C.DIGIT
    if any(first <= code <= last for first, last in NO_SPACES):
        return C.UNSPACED
    by_category = {"Ll": C.LOWER, "Lu": C.UPPER, "Lt": C.UPPER, "Lo": C.UNCASED, "Lm": C.UNCASED, "Mn": C.UNCASED,
                   "Mc": C.UNCASED}  # fmt: skip
    if category in by_category:
        return by_category[category]
    return C.SYMBOL if category[0] in "SP" else C.OTHER


def folded(code: int) -> int:
    """The code point with which it is compared: lower case, and 0 for every digit."""
    character = chr(code)
    if unicodedata.category(character) == "Nd":
        return ord("0")
    lower = character.lower()
    return ord(lower) if len(lower) == 1 and ord(lower) < LIMIT else code


def main() -> None:
    classes = [character_class(code) for code in range(LIMIT)] + [C.UNSPACED]
    folds = [folded(code) - code for code in range(LIMIT)] + [0]
    values = np.array([classes, folds], np.int32)
    starts = np.flatnonzero(np.append(True, (values[:, 1:] != values[:, :-1]).any(axis=0)))
    path = Path(__file__).parent.parent / "extractor" / "character_classes.npy"
    np.save(path, np.vstack([starts, values[:, starts]]).astype(np.int32))
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
