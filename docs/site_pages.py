"""Pages of the site that live elsewhere in the repository, and Markdown as GitHub reads it.

Not a part of gitmemo: MkDocs calls it (`hooks` in `mkdocs.yml`). Invariant: a
link that works in the repository works on the site, or the strict build fails.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {"README.md": "index.md", "CHANGELOG.md": "changelog.md"} | {
    f"examples/{folder.name}/README.md": f"examples/{folder.name}.md"
    for folder in sorted((ROOT / "examples").iterdir())
    if (folder / "README.md").is_file()
}
SOURCE = "https://github.com/gitmemo/gitmemo/blob/main/"
_LINK = re.compile(r"(?<=\]\()([^)#\s:]+)(?=[)#])")
_CODE = re.compile(r"`[^`\n]+`")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are not in `docs/`."""
    from mkdocs.structure.files import File

    for origin, page in BESIDE.items():
        text = (ROOT / origin).read_text("utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Return what Python-Markdown reads as GitHub reads `markdown`."""
    here = page.file.src_uri
    origin = {to: origin for origin, to in BESIDE.items()}.get(here, f"docs/{here}")
    lines: list[str] = []
    fenced = False
    for line in markdown.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        if not fenced:
            if _begins_list(line) and lines and _is_paragraph(lines[-1]):
                lines.append("")
            line = _LINK.sub(lambda found: _on_the_site(found[1], origin, here), line)
            if line.startswith("|"):
                line = _CODE.sub(lambda found: found[0].replace("\\|", "|"), line)
        lines.append(line)
    return "\n".join(lines)


def _on_the_site(link: str, origin: str, here: str) -> str:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
    folder = posixpath.dirname(here) or "."
    if target in BESIDE:
        return posixpath.relpath(BESIDE[target], folder)
    if target.startswith("docs/"):
        return posixpath.relpath(target.removeprefix("docs/"), folder)
    return SOURCE + target if (ROOT / target).exists() else link


def _begins_list(line: str) -> bool:
    return re.match(r"(?:[-*]|\d+\.) ", line) is not None


def _is_paragraph(line: str) -> bool:
    return bool(line.strip()) and not re.match(r"\s|(?:[-*]|\d+\.) |[|#>]", line)
