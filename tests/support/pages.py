"""What is on a page of HTML, as a browser reads it."""

from html.parser import HTMLParser


class Elements(HTMLParser):
    """The names of the elements of a page, and of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(name)
        self.attributes |= {each for each, _ in attributes}
