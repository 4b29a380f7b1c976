"""How well the encoding of short texts that declare none is told: by extractor, and by the detector that it asks alone.

    python scripts/measure_decoding.py

The texts are written for this script: bare and as HTML, each alone and those of a language together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from charset_normalizer import from_bytes

from extractor.decoding import decode

ENCODINGS = {
    **dict.fromkeys(("pl", "cs", "hu", "sk", "ro", "sl", "hr"), "cp1250"),
    "tr": "cp1254",
    "ru": "cp1251",
    "el": "cp1253",
}
"""Of languages that are not written in Windows-1252."""
TEXTS = {
    "es": (
        "El faro del cabo lejano está encendido otra vez, y los prácticos se alegran. Según el alcalde, "
        "la obra costó más de lo previsto: «mereció la pena», dijo el señor Núñez.",
        "La niña salió mañana temprano con su abuela a comprar pan. ¿Cuándo volverán? Nadie lo sabe "
        "todavía, pero el año pasado tardaron muy poco.",
        "Menú\nInicio\nPolítica\nEconomía\nOpinión\nMás leídas",
        "Los vecinos del barrio pidieron al ayuntamiento más árboles, menos coches y un pequeño jardín "
        "para los niños. El pleno lo votará el próximo miércoles.",
    ),
    "fr": (
        "Le maire a inauguré hier la nouvelle bibliothèque de la commune. « Nous l’attendions depuis "
        "dix ans », a-t-il déclaré.",
        "Où sont passés les élèves de l'école ? Ils étaient partis à la forêt, où le garde leur a montré les chênes.",
        "Accueil\nActualités\nSociété\nMétéo\nÀ propos",
        "L'été dernier, la pêche a été très mauvaise ; les bateaux sont restés à quai, et le marché "
        "s'est vidé peu à peu.",
    ),
    "de": (
        "Der Bürgermeister eröffnete gestern die neue Bücherei. „Wir haben zehn Jahre darauf gewartet“, sagte er.",
        "Die Straße über den Paß ist für größere Fahrzeuge gesperrt. Für Fußgänger bleibt sie geöffnet.",
        "Startseite\nÜber uns\nGeschäft\nMenü",
        "Müller und Söhne liefern täglich frische Brötchen, süße Hörnchen und kräftiges Bauernbrot an "
        "die Häuser im Tal.",
    ),
    "pt": (
        "O farol do cabo está aceso outra vez, e os pilotos não escondem a alegria. A reparação custou "
        "três milhões, disse o presidente da câmara.",
        "As crianças da escola plantaram árvores no jardim; amanhã vão à praia com os avós, se não chover.",
        "Início\nPolítica\nOpinião\nÚltimas notícias",
        "A informação está disponível em português. Você também poderá consultar a região e os preços do pão.",
    ),
    "it": (
        "Il faro del capo è di nuovo acceso, e i piloti ne sono felici. «Perché no?», ha detto il "
        "sindaco; la città lo aspettava già da anni.",
        "Però più di così non si può: l'università chiuderà lunedì, e martedì nessuno potrà entrare.",
        "Città\nAttualità\nPiù letti\nPubblicità",
    ),
    "sv": (
        "Fyren på udden är tänd igen, och lotsarna gläds åt det. Arbetet kostade mer än väntat, säger "
        "kommunalrådet Åsa Öberg.",
        "På måndag öppnar det nya badhuset för både små och stora.",
    ),
    "da": (
        "Fyret på det fjerne næs er tændt igen, og lodserne glæder sig. Arbejdet kostede mere end "
        "ventet, siger borgmesteren på Ærø.",
        "Små børn må gerne løbe på græsset i går og i dag.",
    ),
    "nl": (
        "De vuurtoren is weer aan; de ‘loodsen’ zijn blij, zei de coördinator. Eén van hen, André, was "
        "zéér tevreden met de reünie.",
    ),
    "pl": (
        "Latarnia na dalekim przylądku znów świeci, a piloci są z tego zadowoleni. Burmistrz "
        "powiedział, że prace kosztowały więcej, niż się spodziewano.",
        "Dzieci poszły wczoraj do szkoły później niż zwykle, ponieważ śnieg zasypał drogę.",
        "Strona główna\nWiadomości\nPogoda\nO nas i współpraca",
    ),
    "cs": (
        "Maják na vzdáleném mysu opět svítí a lodivodi jsou tomu rádi. Starosta řekl, že práce stály "
        "více, než se čekalo.",
        "Děti šly včera do školy později než obvykle, protože sníh zavál cestu.",
        "Úvod\nZprávy\nPočasí\nO nás\nPřihlášení",
    ),
    "hu": (
        "A világítótorony újra ég, és a révkalauzok örülnek neki. A polgármester szerint a munka többe "
        "került a vártnál.",
        "A gyerekek tegnap később értek az iskolába, mert a hó elzárta az utat. Szőlőhegy felől jött a "
        "busz, és nagyon lassú volt.",
        "Kezdőlap\nHírek\nIdőjárás\nElérhetőség",
    ),
    "sk": (
        "Maják na vzdialenom myse opäť svieti a lodivodi sa tešia. Starosta povedal, že práce stáli viac, než čakali.",
    ),
    "ro": (
        "Farul de pe capul îndepărtat este din nou aprins, iar piloţii se bucură. Primarul a spus că "
        "lucrările au costat mai mult decât se aştepta.",
    ),
    "sl": (
        "Svetilnik na oddaljenem rtu spet sveti in piloti so veseli. Župan je rekel, da so dela stala "
        "več, kot so pričakovali.",
    ),
    "hr": (
        "Svjetionik na dalekom rtu opet svijetli i peljari su sretni. Gradonačelnik je rekao da su "
        "radovi stajali više nego što se očekivalo. Već sutra će doći još ljudi.",
    ),
    "tr": (
        "Uzak burundaki fener yeniden yandı ve kılavuzlar buna sevindi. Belediye başkanı işin "
        "beklenenden pahalı olduğunu söyledi. Çocuklar bugün okula gidiyor, şimdi öğretmen geldi.",
    ),
    "ru": ("Маяк на дальнем мысу снова горит, и лоцманы рады. Мэр сказал, что работы стоили дороже.",),
    "el": ("Ο φάρος στο μακρινό ακρωτήρι ανάβει ξανά, και οι πλοηγοί χαίρονται.",),
}


def cases(language: str) -> Iterator[str]:
    """The texts of a language, bare and as HTML."""
    texts = TEXTS[language]
    for text in (*texts, "\n\n".join(texts) * 3) if len(texts) > 1 else texts:
        yield text
        yield "<html><body><p>" + text.replace("\n", "</p><p>") + "</p></body></html>"


def detected(data: bytes) -> str:
    best = from_bytes(data).best()
    return data.decode(best.encoding, "replace") if best else ""


def main() -> None:
    ours, alone, number = Counter[str](), Counter[str](), Counter[str]()
    for language in TEXTS:
        for text in cases(language):
            data = text.encode(ENCODINGS.get(language, "cp1252"))
            number[language] += 1
            ours[language] += decode(data)[0] == text
            alone[language] += detected(data) == text
    for language in TEXTS:
        print(
            f"{language}: {number[language]} texts, {ours[language]} read right, the detector alone {alone[language]}"
        )
    print(
        f"all: {sum(number.values())} texts, {sum(ours.values())} read right, the detector alone {sum(alone.values())}"
    )


if __name__ == "__main__":
    main()
