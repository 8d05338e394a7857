"""Pages as a browser takes them: their elements, links and texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REFERENCES = ("href", "src", "data-lr5", "data-lr7")


@dataclass
class Page(HTMLParser):
    """A parsed page.

    Attributes:
        path: Its file.
        elements: Name and attributes of every element.
        texts: The texts between them.
    """

    path: Path
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """Attributes of the elements of a kind whose attributes contain these words."""
        return [
            found
            for name, found in self.elements
            if name == tag
            and all(word in found.get(key.rstrip("_"), "").split() for key, word in attributes.items())
        ]

    def files(self) -> list[Path]:
        """The files that the page leads to, where it says that they are."""
        found = []
        for _, attributes in self.elements:
            for name in REFERENCES:
                url = urlsplit(attributes.get(name, ""))
                assert not url.netloc, url
                assert url.scheme in ("", "data"), url
                if url.path and not url.scheme:
                    found.append(self.path.parent / unquote(url.path))
        return found
