"""Bytes of a text in Latin letters -> the encoding in which they spell one language.

A detector sees that a text is in Latin letters; whether 0xF1 is Spanish "ñ" or Polish "ń" it takes by the look of the
whole, and is often wrong. One language uses few of the letters that an encoding holds, so the encoding is the one in
which a single language accounts for the letters that are not ASCII.
"""

from __future__ import annotations

from collections import Counter

# The letters beside a to z of each language, and the signs that it alone uses; in the order that settles a tie, as
# https://encoding.spec.whatwg.org takes Windows-1252 for what pages in most languages mean. Without Icelandic, whose
# letters are those of Turkish in Windows-1254: there the detector decides.
_LANGUAGES: dict[str, tuple[str, ...]] = {
    "cp1252": (
        "áéíñóúü¿¡ºª", "àâæçéèêëîïôœùûüÿ", "äöüß", "áàâãçéêíóôõúüºª", "àèéìíîòóùú", "åäöé", "æøåéóòâ", "áéíóúïëüöèêà",
        "àçèéíïòóúü·",
    ),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čšžćđ"),
    "iso8859-2": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čšžćđ"),
    "cp1254": ("çğıöşüâîûİ",),
    "cp1257": ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"),
}  # fmt: skip
_SIGNS = frozenset("\xa0«»“”„‘’‚‹›–—…•·©®™°§€£±×")
"""Signs that a text of any language may have."""
_ONE_LANGUAGE = 0.95
"""Share of the characters that the letters of one language and the signs must account for: names are from anywhere."""
_LATIN = frozenset(
    "cp437 cp500 cp775 cp850 cp852 cp857 cp858 cp860 cp861 cp863 cp865 cp1140 cp1250 cp1252 cp1254 cp1257 cp1258"
    " iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-9 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16"
    " hp-roman8 mac-croatian mac-iceland mac-latin2 mac-roman mac-romanian mac-turkish".split()
)


def is_latin(encoding: str) -> bool:
    """Whether an encoding, by the name of its codec, has one byte for a letter and no letters but Latin ones."""
    return encoding in _LATIN


def latin_encoding(data: bytes) -> str | None:
    """The encoding in which one language accounts best for the bytes that are not ASCII; None if none does well.

    >>> latin_encoding("mañana según el señor Núñez".encode("cp1252"))
    'cp1252'
    >>> latin_encoding("zażółć gęślą jaźń".encode("cp1250"))
    'cp1250'
    """
    counts = Counter(code for code in data if code >= 0x80)
    shares = {encoding: _best_share(counts, encoding) for encoding in _LANGUAGES}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= _ONE_LANGUAGE else None


def _best_share(counts: Counter[int], encoding: str) -> float:
    """The largest share of some bytes that one language and the signs account for, in an encoding."""
    read = {code: bytes((code,)).decode(encoding, "replace") for code in counts}
    signs = sum(count for code, count in counts.items() if read[code] in _SIGNS)
    letters = (
        sum(count for code, count in counts.items() if read[code].lower() in language)
        for language in map(frozenset, _LANGUAGES[encoding])
    )
    return (max(letters) + signs) / max(sum(counts.values()), 1)
