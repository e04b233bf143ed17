"""The results page: what is stored, as one page that a browser shows.

`document` says what a page holds, `page` writes it into HTML, `server` shows one that is asked row by
row. The page itself is in `static`. Invariant: everything that comes from results, names and code
reaches the browser as JSON text or as escaped SVG, never as markup or script.
"""

from gitmemo.report.changes import Since
from gitmemo.report.document import Document
from gitmemo.report.gathering import Wanted, gather
from gitmemo.report.live import Edition, Live
from gitmemo.report.news import News
from gitmemo.report.page import html_of
from gitmemo.report.server import Server
from gitmemo.report.source import Source

__all__ = [
    "Document",
    "Edition",
    "Live",
    "News",
    "Server",
    "Since",
    "Source",
    "Wanted",
    "gather",
    "html_of",
]
