"""Markdown to HTML: the only way text from people and models becomes markup.

Everything rendered here is hostile until shown otherwise. HTML in the source stays text, images stay links (a response
must not make a reader's browser call home), and what the renderer wrote passes an allow-list before it leaves.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight as pygments_highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

LONGEST = 60_000  # characters; longer text is shown as it was written
LONGEST_HIGHLIGHT = 20_000
TAGS = {"p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "span"}
TAGS |= {"div", "em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"a": {"href", "title", "class"}, "ol": {"start"}}
ATTRIBUTES |= {tag: {"class"} for tag in ("code", "span", "pre", "div", "th", "td")}


def highlight_code(code: str, language: str, _attributes: str) -> str:
    """Spans with Pygments' short classes, or "" for a language it does not know (the text is then escaped as it is)."""
    if not language or len(code) > LONGEST_HIGHLIGHT:
        return ""
    try:
        lexer = get_lexer_by_name(language.lower())
    except ClassNotFound:
        return ""
    return pygments_highlight(code, lexer, HtmlFormatter(nowrap=True))


class Renderer(RendererHTML):
    """The library's renderer, without pictures and without style attributes."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        address = str(token.attrGet("src") or "")
        name = self.renderInlineAsText(token.children, options, env) or address
        return f'<a class="image" href="{escape(address)}">{escape(name)}</a>'

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._cell(tokens[idx])

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self._cell(tokens[idx])

    def _cell(self, token: Token) -> str:
        side = str(token.attrGet("style") or "").removeprefix("text-align:")
        return f'<{token.tag} class="align-{side}">' if side else f"<{token.tag}>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
        code = highlight_code(token.content, language, "") or escape(token.content)
        return f'<pre class="highlight"><code>{code}</code></pre>\n'


def make_parser() -> MarkdownIt:
    options: dict[str, Any] = {"html": False, "maxNesting": 20}
    return MarkdownIt("commonmark", options, renderer_cls=Renderer).enable(["table", "strikethrough"])


PARSER = make_parser()


@lru_cache(maxsize=512)
def render_markdown(text: str) -> SafeString:
    """The text as safe HTML. Text past `LONGEST` characters is shown plain, with its line breaks."""
    if len(text) > LONGEST:
        return mark_safe(f'<pre class="plain">{escape(text)}</pre>')
    cleaned = nh3.clean(
        PARSER.render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(cleaned)
