"""The only way text becomes HTML. Prompts, responses and guidelines are hostile until they have been through here.

Markdown is parsed with HTML switched off, code is highlighted by classes alone, mathematics is left to the browser's
KaTeX, and the result still goes through a sanitiser that keeps a short list of tags and attributes. Images are never
loaded: they become links.
"""

import re
from functools import lru_cache
from html import escape

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from annotate.mathematics import add_mathematics

# Past either limit a text is shown as it was written, because parsing it could take seconds.
MAX_RENDERED_CHARACTERS = 100_000
MAX_MARKERS_IN_A_ROW = 200

# The expressions of some lexers take quadratic time, so code is coloured in languages people meet, within bounds that
# keep the worst text found (prose called Java) at half a second.
LANGUAGES = {"bash", "c", "c++", "c#", "clojure", "console", "cpp", "cs", "csharp", "css", "dart", "diff", "docker"}
LANGUAGES |= {"dockerfile", "elixir", "go", "golang", "graphql", "haskell", "html", "http", "ini", "java"}
LANGUAGES |= {"javascript", "js", "json", "jsx", "julia", "kotlin", "latex", "lua", "make", "makefile", "matlab"}
LANGUAGES |= {"objective-c", "ocaml", "perl", "php", "powershell", "py", "pycon", "python", "python3", "r", "rb"}
LANGUAGES |= {"ruby", "rust", "scala", "scss", "sh", "shell", "sql", "swift", "tex", "toml", "ts", "tsx"}
LANGUAGES |= {"typescript", "xml", "yaml", "yml", "zsh"}
MAX_HIGHLIGHTED_IN_A_BLOCK = 4_000
MAX_HIGHLIGHTED_IN_A_TEXT = 8_000
LONG_GAP = re.compile(r"\s{200}")

PATHOLOGICAL = re.compile(
    rf"(?:[\[\]()<>*_`~!|\\&][ \t]*){{{MAX_MARKERS_IN_A_ROW}}}|(?:^|\n)[ \t>*+\-]{{{MAX_MARKERS_IN_A_ROW}}}"
)
# Prose that says nothing in Markdown or HTML: lines that begin with a letter, of words and harmless punctuation.
PLAIN_LINE = r"[^\W\d_][\w .,;:?!'\"()/%@#+=’‘“”–—…-]*+(?<! )"
PLAIN = re.compile(rf"{PLAIN_LINE}(?:\n++{PLAIN_LINE})*+\n*")
BLANK = re.compile(r"\n\n+")
ALLOWED_TAGS = {"p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "div"}
ALLOWED_TAGS |= {"a", "strong", "em", "s", "del", "code", "span", "pre", "table", "thead", "tbody", "tr", "th", "td"}
ALLOWED_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SHORT_CLASS = re.compile(r"[a-z][a-z0-9]{0,2}")
OWN_CLASSES = {"span": {"image", "math"}, "a": {"image"}, "div": {"highlight", "math"}, "pre": {"plain"}}
ALIGNED = {"text-align:right": "align-right", "text-align:center": "align-center", "text-align:left": "align-left"}


def render_image(renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """An image is a link to it, under its description; the page loads nothing from elsewhere."""
    token = tokens[index]
    label = escape(renderer.renderInlineAsText(token.children or [], options, env) or "untitled")
    return f'<a class="image" href="{escape(str(token.attrGet("src") or ""))}">image: {label}</a>'


def render_aligned_cell(
    renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """A table cell's alignment as a class, because the CSP allows no style attribute."""
    token = tokens[index]
    token.attrs = {"class": ALIGNED[str(style)]} if (style := token.attrGet("style")) in ALIGNED else {}
    return renderer.renderToken(tokens, index, options, env)


def render_code(renderer: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """A fenced block, in spans of Pygments classes where its language is known and it fits the bounds above.

    `env` counts what has been coloured of the text so far.
    """
    code, language = tokens[index].content, tokens[index].info.strip().partition(" ")[0].lower()
    coloured = env.get("coloured", 0) + len(code)
    fits = len(code) <= MAX_HIGHLIGHTED_IN_A_BLOCK and coloured <= MAX_HIGHLIGHTED_IN_A_TEXT
    if language not in LANGUAGES or not fits or LONG_GAP.search(code):
        return f"<pre><code>{escape(code)}</code></pre>\n"
    env["coloured"] = coloured
    return f"<pre><code>{highlight(code, get_lexer_by_name(language), HtmlFormatter(nowrap=True))}</code></pre>\n"


def make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False})
    parser.enable(["table", "strikethrough"])
    add_mathematics(parser)
    parser.add_render_rule("fence", render_code)
    parser.add_render_rule("image", render_image)
    parser.add_render_rule("th_open", render_aligned_cell)
    parser.add_render_rule("td_open", render_aligned_cell)
    return parser


def keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name != "class":
        return value
    kept = [word for word in value.split() if word in OWN_CLASSES.get(tag, ()) or word in ALIGNED.values()]
    kept += [word for word in value.split() if tag == "span" and SHORT_CLASS.fullmatch(word)]
    return " ".join(kept) or None


PARSER = make_parser()
CLEANER = nh3.Cleaner(
    tags=ALLOWED_TAGS,
    attributes={**ALLOWED_ATTRIBUTES, "a": {"href", "title", "class"}}
    | {tag: {"class"} for tag in ("span", "div", "pre", "th", "td")},
    attribute_filter=keep_attribute,
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    clean_content_tags={"script", "style"},
)


@lru_cache(maxsize=2048)
def render_markdown(text: str) -> SafeString:
    """The text as sanitised HTML, code in `.highlight` classes, links opening apart without a referrer's trust.

    Text longer than 100,000 characters, or with 200 markers in a row, comes back as written in <pre class="plain">.
    """
    if len(text) > MAX_RENDERED_CHARACTERS:
        return as_written(text)
    if is_plain(text):
        return paragraphs(text)
    return as_written(text) if PATHOLOGICAL.search(text) else parse(text)


def is_plain(text: str) -> bool:
    """Whether the text is nothing but words, and PATHOLOGICAL has nothing to look for."""
    markers = text.count("!") + text.count("(") + text.count(")")
    return markers < MAX_MARKERS_IN_A_ROW and "_" not in text and bool(PLAIN.fullmatch(text))


def paragraphs(text: str) -> SafeString:
    """What `parse` makes of plain text, in a tenth of the time."""
    return SafeString("".join(f"<p>{block}</p>\n" for block in BLANK.split(text.rstrip("\n"))))


def parse(text: str) -> SafeString:
    """Any text that parsing takes no undue time for."""
    try:
        html = PARSER.render(text)
    except RecursionError:
        return as_written(text)
    return SafeString(
        CLEANER.clean(html.replace("<pre>", '<div class="highlight"><pre>').replace("</pre>", "</pre></div>"))
    )


def as_written(text: str) -> SafeString:
    return SafeString(f'<pre class="plain">{escape(text)}</pre>')
