"""The links of the documentation: each leads to a file of the repository, and to a heading in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in ("build", "dist") for part in page.relative_to(ROOT).parts)
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")


FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def without_code(text):
    return re.sub(r"`[^`\n]*`", "", FENCED.sub("", text))


def anchors(text):
    """What GitHub calls the headings of a page: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page, text):
    for target in LINK.findall(without_code(text)):
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        if not file.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_when_they_link_to_the_repository_then_file_and_heading_are_there(page):
    assert list(broken(page, page.read_text(encoding="utf-8"))) == []


def test_links_when_file_or_heading_is_missing_then_found_out():
    page = ROOT / "README.md"
    text = (
        "[a](nowhere.md) [b](docs/design.md#nowhere) [c](#how-good-it-is) [d](https://example.org/x) `[e](f)`"
    )

    assert list(broken(page, text)) == ["nowhere.md: no such file", "docs/design.md#nowhere: no such heading"]
