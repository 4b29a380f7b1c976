"""The hostile inputs that are known: what each is, how large it comes, and what is promised of it.

Each is a function of a size; what is promised holds at every size. tests/test_hostile.py tries them small, and
that time and memory grow no faster than the input; tests/test_soak.py tries them at their full size.
"""

from __future__ import annotations

import base64
import random
import sys
from collections.abc import Callable
from itertools import cycle, islice
from typing import NamedTuple

from extractor import Page
from extractor.page import PageFormat

SPACES = "".join(chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace() and code != ord("\n"))
"""The carriage return and the separators of lines, paragraphs and records among them."""
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
FRENCH = "Le phare s’éteint à l’aube — déjà vingt ans."
MOJIBAKE = FRENCH.encode().decode("cp1252", "replace") + "\n"
PARAGRAPH = (
    "Le maire a inauguré hier la nouvelle bibliothèque de la commune. « Nous l’attendions depuis dix ans », a-t-il "
    "déclaré devant une foule émue, où l’on reconnaissait plusieurs élus. Les travaux, commencés à l’été, ont coûté "
    "près de deux millions d’euros."
)
SPANISH = (
    "El faro del cabo lejano está encendido otra vez, y los prácticos se alegran. Según el alcalde, la obra costó "
    "más de lo previsto: «mereció la pena», dijo el señor Núñez."
)
RUSSIAN = "Маяк на дальнем мысу снова горит, и лоцманы рады."
JAPANESE = "灯台の光が十年ぶりに海を照らした。船乗りたちは喜んでいる。"
CHINESE = "灯塔十年来第一次照亮了海面，船员们都很高兴。"
SCRIPTS = (
    "The lamp on the far cape is lit again, and the pilots are glad of it.",
    RUSSIAN,
    "Ο φάρος στο μακρινό ακρωτήρι ανάβει ξανά, και οι πλοηγοί χαίρονται.",
    "المنارة على الرأس البعيد تضيء من جديد، والمرشدون سعداء بذلك.",
    "המגדלור בכף הרחוק דולק שוב, והנתבים שמחים על כך.",
    "दूर के अंतरीप पर प्रकाशस्तंभ फिर से जल उठा है, और नाविक खुश हैं।",
    "ประภาคารบนแหลมไกลสว่างขึ้นอีกครั้ง และคนนำร่องก็ดีใจ",
    CHINESE,
    JAPANESE,
    "먼 곶의 등대가 다시 켜졌고, 도선사들은 기뻐한다.",
    "შორეულ კონცხზე შუქურა ისევ ანთია და ლოცმანებს უხარიათ.",
)
ANY_NUMBER = None


class Hostile(NamedTuple):
    """A hostile input.

    name: what it is. make: the page of a size. lines: how many lines it must give at a size, or ANY_NUMBER. small: a
    size that is labelled in some hundredths of a second. full: the size tried by `make soak`.
    """

    name: str
    make: Callable[[int], str | bytes]
    lines: Callable[[int], int] | None
    small: int
    full: int
    kind: PageFormat = "html"

    def page(self, size: int) -> Page:
        return Page(self.make(size), kind=self.kind)


def one(_: int) -> int:
    return 1


def none(_: int) -> int:
    return 0


def two(_: int) -> int:
    return 2


def every(size: int) -> int:
    return size


def numbered(template: str) -> Callable[[int], str]:
    return lambda size: "".join(template.replace("#", str(number)) for number in range(size))


def entity_bomb(size: int) -> str:
    """Each of ten entities is ten of the one before; the page names the last `size` times."""
    entities = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><x>{"&l9;" * size}</x>'


def words_around_lines(size: int) -> str:
    """Six containers with a thousand class names between them around lines of one letter."""
    names = " ".join("abcdefghijklmnopqrstuvwxyz" * 7)
    return "".join(f'<div class="{level}{names}">' for level in range(6)) + "<br>x" * size


def random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


TEXT = (
    Hostile("short lines", lambda n: "x\n" * n, every, 4_000, 1_000_000, "text"),
    Hostile("short lines, all different", lambda n: "\n".join(map(str, range(n))), every, 4_000, 1_000_000, "text"),
    Hostile("one line of words", lambda n: "word " * n, one, 20_000, 10_000_000, "text"),
    Hostile("one line of ideographs", lambda n: "灯" * n, one, 30_000, 16_700_000, "text"),
    Hostile("one line of emoji", lambda n: "😀" * n, one, 30_000, 12_500_000, "text"),
    Hostile("one word without end", lambda n: "x" * n, one, 100_000, 50_000_000, "text"),
    Hostile("one line of full stops", lambda n: ". " * n, one, 40_000, 10_000_000, "text"),
    Hostile("one line of clock times", lambda n: "1:" * n, one, 40_000, 10_000_000, "text"),
    Hostile("one line of wide gaps", lambda n: "a  " * n, one, 20_000, 10_000_000, "text"),
    Hostile("base64", lambda n: base64.b64encode(random_bytes(n)), one, 50_000, 20_000_000, "text"),
    Hostile("nothing but line breaks", lambda n: "\n" * n, none, 150_000, 50_000_000, "text"),
    Hostile("nothing but carriage returns", lambda n: "\r" * n, none, 150_000, 50_000_000, "text"),
    Hostile("every Unicode space", lambda n: (SPACES + "x") * n, one, 3_000, 1_000_000, "text"),
    Hostile("lines of Unicode spaces", lambda n: (SPACES + "\n") * n, none, 3_000, 1_000_000, "text"),
    Hostile("equal lines", lambda n: "Menu\n" * n, every, 4_000, 1_000_000, "text"),
    Hostile("null bytes", lambda n: "a\0b\n" * n, every, 4_000, 1_000_000, "text"),
    Hostile("lone surrogates", lambda n: "a\ud800b\udfff\n" * n, every, 4_000, 1_000_000, "text"),
    Hostile("bidi controls", lambda n: f"a{BIDI}b\n" * n, every, 3_000, 1_000_000, "text"),
    Hostile("combining flood", lambda n: "e" + "\u0301" * n, one, 50_000, 20_000_000, "text"),
    Hostile("mojibake", lambda n: MOJIBAKE * n, every, 1_000, 200_000, "text"),
    Hostile("random bytes", random_bytes, ANY_NUMBER, 50_000, 20_000_000, "text"),
    Hostile("many scripts", lambda n: "\n".join(islice(cycle(SCRIPTS), n)), every, 1_000, 200_000, "text"),
)  # fmt: skip
HTML = (
    Hostile("nested elements, never closed", lambda n: "<div>" * n + "deep", one, 1_500, 1_000_000),
    Hostile("nested elements", lambda n: "<div>" * n + "deep" + "</div>" * n + "<p>after", two, 1_500, 100_000),
    Hostile("nested inline elements", lambda n: "<b>" * n + "deep" + "</b>" * n, one, 1_500, 500_000),
    Hostile("end tags of nothing", lambda n: "<div>" * n + "</section>" * n + "x", one, 10_000, 500_000),
    Hostile("end tags far from a start", lambda n: "<dl>" + "<div>" * n + "</dl>x" * n, ANY_NUMBER, 10_000, 500_000),
    Hostile("unclosed everything", lambda n: "<div><p><b><li><td>x" * n, every, 500, 200_000),
    Hostile("unclosed comment", lambda n: "x<!-- y <p> " * n, one, 5_000, 4_000_000),
    Hostile("unclosed script", lambda n: "x<script> if (a<b) y " * n, one, 5_000, 2_000_000),
    Hostile("unclosed attribute", lambda n: "x<p title='" + "y > " * n, one, 10_000, 10_000_000),
    Hostile("attributes of one element", lambda n: "<p" + numbered(" a#=b")(n) + ">x", one, 2_500, 1_000_000),
    Hostile("attributes of the root", numbered("<html a#=b>"), none, 2_500, 500_000),
    Hostile("one long attribute", lambda n: f'<p class="{"name " * n}">x', one, 10_000, 10_000_000),
    Hostile("a class name an element", numbered("<p class=c#>x"), every, 750, 300_000),
    Hostile("a thousand class names around each line", words_around_lines, every, 300, 100_000),
    Hostile("links", lambda n: "<a href=x>x</a> " * n, one, 1_500, 1_000_000),
    Hostile("line breaks", lambda n: "x<br>" * n, every, 2_000, 1_000_000),
    Hostile("written lines", lambda n: "<pre>" + "x\n" * n, every, 2_000, 1_000_000),
    Hostile("character references", lambda n: "&amp;&#x110000;&bogus;" * n, one, 2_500, 1_000_000),
    Hostile("signs of tags", lambda n: "< <" * n, one, 5_000, 5_000_000),
    Hostile("cells of one row", lambda n: "<table><tr>" + "<td>x" * n, one, 1_500, 500_000),
    Hostile("rows", lambda n: "<table>" + "<tr><td>x<td>y" * n, every, 1_000, 300_000),
    Hostile("tables within tables", lambda n: "<table><tr><td>x<td>" * n, ANY_NUMBER, 1_000, 100_000),
    Hostile("rows within tables", lambda n: "<table><tr><td>x<tr><td>y<td>" * n, ANY_NUMBER, 500, 100_000),
    Hostile("lists within lists", lambda n: "<ul><li>x" * n, every, 1_000, 200_000),
    Hostile("equal headings", lambda n: "<h1>The lamp is lit</h1>" * n, every, 1_000, 300_000),
    Hostile("titles", lambda n: "<head>" + "<title>x</title>" * n + "</head><p>x", one, 2_500, 1_000_000),
    Hostile("hidden within hidden", lambda n: "<div hidden>x" * n, none, 2_500, 500_000),
    Hostile("options", lambda n: "<select>" + "<option>x" * n, every, 1_500, 500_000),
    Hostile("drawings", lambda n: "<svg><g>x" * n, one, 1_500, 300_000),
    Hostile("null bytes in tags", lambda n: "<p>a\0b</p\0>" * n, every, 1_500, 500_000),
    Hostile("lone surrogates in HTML", lambda n: "<p>a\ud800b" * n, every, 1_500, 500_000),
    Hostile("entity bomb", entity_bomb, two, 5_000, 5_000_000),
    Hostile("long entity", lambda n: f'<!DOCTYPE x [<!ENTITY e "{"y" * n}">]><p>x{"&e;" * n}', two, 5_000, 5_000_000),
    Hostile("sections of character data", lambda n: "x<![CDATA[y" * n, ANY_NUMBER, 2_500, 2_000_000),
    Hostile("processing instructions", lambda n: "x<?y " * n, ANY_NUMBER, 2_500, 2_000_000),
    Hostile("elements of no name", lambda n: "<x-#>x".replace("#", "y") * n, ANY_NUMBER, 1_000, 300_000),
)  # fmt: skip
HOSTILE = (*TEXT, *HTML)


class Encoded(NamedTuple):
    """A page in an encoding, and how it must be read. declared: what it says of itself, if anything."""

    name: str
    text: str
    encoding: str
    found: str
    mark: bytes = b""
    declared: str | None = None

    @property
    def shown(self) -> str:
        """The text that must be read."""
        head = f'<meta charset="{self.declared}">' if self.declared else ""
        return head + self.text

    @property
    def content(self) -> bytes:
        return self.mark + self.shown.encode(self.encoding)


WIDE = [(f"utf-{bits}-{order}", bits, order) for bits in (16, 32) for order in ("le", "be")]
ENCODED = (
    *(Encoded(f"{name} with a mark", RUSSIAN, name, name, "\ufeff".encode(name)) for name, _, _ in WIDE),
    *(Encoded(f"{name} without a mark", FRENCH, name, name) for name, _, _ in WIDE),
    Encoded("UTF-8 with a mark", RUSSIAN, "utf-8", "utf-8", b"\xef\xbb\xbf"),
    Encoded("GBK, declared", CHINESE * 3, "gbk", "gb18030", declared="gbk"),
    Encoded("Shift-JIS, declared", JAPANESE * 3, "shift_jis", "cp932", declared="Shift_JIS"),
    Encoded("KOI8-R, declared", RUSSIAN * 3, "koi8-r", "koi8-r", declared="koi8-r"),
    Encoded("Shift-JIS, not declared", JAPANESE * 6, "shift_jis", "cp932"),
    Encoded("Windows-1251, not declared", RUSSIAN * 6, "cp1251", "cp1251"),
    Encoded("Windows-1252, declared as UTF-8", PARAGRAPH, "cp1252", "cp1252", declared="utf-8"),
    Encoded("UTF-8, declared as Windows-1252", FRENCH, "utf-8", "utf-8", declared="windows-1252"),
    Encoded("mojibake, which is text as any other", "Le phare sâ€™Ã©teint", "utf-8", "utf-8"),
)
UNDECLARED = {
    "cp1252": (
        SPANISH,
        PARAGRAPH,
        "La niña salió temprano con su abuela. ¿Cuándo volverán? Nadie lo sabe todavía.",
        "Der Bürgermeister eröffnete gestern die neue Bücherei. „Wir haben zehn Jahre gewartet“, sagte er.",
        "O farol do cabo está aceso outra vez; a reparação custou três milhões, disse o presidente da câmara.",
        "Il faro del capo è di nuovo acceso. «Perché no?», ha detto il sindaco; la città lo aspettava già da anni.",
        "Fyren på udden är tänd igen. Arbetet kostade mer än väntat, säger kommunalrådet Åsa Öberg.",
        "Fyret på det fjerne næs er tændt igen, siger borgmesteren på Ærø.",
    ),
    "cp1250": (
        "Latarnia na dalekim przylądku znów świeci. Burmistrz powiedział, że prace kosztowały więcej.",
        "Strona główna\nWiadomości\nPogoda\nO nas i współpraca",
        "Maják na vzdáleném mysu opět svítí a lodivodi jsou tomu rádi. Starosta řekl, že práce stály více.",
        "A világítótorony újra ég, és a révkalauzok örülnek neki. A munka többe került a vártnál.",
        "Farul de pe capul îndepărtat este din nou aprins, iar piloţii se bucură.",
        "Svjetionik na dalekom rtu opet svijetli i peljari su sretni. Već sutra će doći još ljudi.",
    ),
    "cp1254": ("Uzak burundaki fener yeniden yandı. Belediye başkanı işin beklenenden pahalı olduğunu söyledi.",),
}
"""What each encoding is read from where nothing declares it."""
