"""Which columns of .jsonl and .parquet records hold the page: their names, and those asked for, in; Columns out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

KNOWN_NAMES: dict[str, tuple[str, ...]] = {
    "html": ("html", "raw_html", "page_html", "html_content", "content_html"),
    "text": ("text", "content", "raw_content", "page_text", "plain_text", "document", "dump", "body"),
    "url": ("url", "uri", "source_url", "page_url", "warc_target_uri", "warc-target-uri", "link"),
    "id": ("id", "_id", "doc_id", "docid", "document_id", "page_id", "record_id", "warc_record_id", "uuid"),
}


class Columns(NamedTuple):
    """The names of the columns that hold each thing; None for one to be found, or that is not there."""

    id: str | None = None
    url: str | None = None
    text: str | None = None
    html: str | None = None

    @property
    def page(self) -> str | None:
        """The column that holds the page: HTML says more than text."""
        return self.html or self.text

    def names(self) -> list[str]:
        """Those that are there, each once."""
        return list(dict.fromkeys(filter(None, (self.id, self.url, self.html, self.text))))

    def page_of(self, values: Mapping[str, Any]) -> str | None:
        """The column that holds the page of a row, by name: that of HTML, but where it is empty that of text."""
        return next((name for name in (self.html, self.text) if name and values.get(name)), self.page)

    def found_in(self, names: Collection[str]) -> Columns:
        """These columns, and for those not named the ones that are known by their names, upper or lower case.

        Whoever names a column for the page gets that one only. Columns that are named and missing are None.
        """
        folded = {name.lower(): name for name in reversed(list(names))}
        found = {
            what: next((folded[name] for name in known if name in folded), None) for what, known in KNOWN_NAMES.items()
        }
        if self.page:
            found["html"] = found["text"] = None
        asked = {what: name for what, name in self._asdict().items() if name is not None}
        present = {what: name if name in names else None for what, name in asked.items()}
        return Columns(**{**found, **present})

    def missing(self, names: Collection[str]) -> str:
        """What is wrong with records that have these columns and no page, and what to do."""
        listed = ", ".join(sorted(map(str, names))) or "none"
        if self.page:
            return f"no column {self.page} (there are: {listed}); give another to --text-column or --html-column"
        return (
            f"no column known to hold text or HTML (there are: {listed}); name it with --text-column or --html-column"
        )
