r"""Mathematics in Markdown: $…$ and \(…\) within a line, $$…$$, \[…\] and \begin{…}…\end{…} as blocks.

Two rules for markdown-it. What they find becomes text between \( \) or \[ \] in an element of class `math`, which the
browser hands to KaTeX; without JavaScript it reads as it was written. Each rule looks ahead a bounded distance, so the
time stays proportional to the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

LONGEST = 2_000  # characters of one formula
MOST_LINES = 60
CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)"}
ENVIRONMENT = re.compile(r"\\begin\{((?:equation|align|gather|multline|alignat|CD)\*?)\}")


def add_mathematics(parser: MarkdownIt) -> None:
    parser.inline.ruler.before("escape", "math", inline_rule)
    parser.block.ruler.before("fence", "math_block", block_rule, {"alt": ["paragraph", "blockquote", "list"]})
    parser.add_render_rule("math", render)
    parser.add_render_rule("math_block", render)


def inline_rule(state: StateInline, silent: bool) -> bool:
    opener = state.src[state.pos : state.pos + 2]
    if opener in CLOSERS:
        closer = CLOSERS[opener]
    elif opener[:1] == "$":
        opener = closer = "$"
    else:
        return False
    start = state.pos + len(opener)
    end = find_end(state, start, closer)
    if end < 0 or not state.src[start:end].strip():
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content, token.meta = state.src[start:end].strip(), {"display": closer in ("$$", "\\]")}
    state.pos = end + len(closer)
    return True


def find_end(state: StateInline, start: int, closer: str) -> int:
    """Where the closing delimiter stands; -1 when there is none in reach. Lone dollars are money more often than not:
    they count only hugging their formula, with no digit right after."""
    text, limit = state.src, min(state.posMax, start + LONGEST)
    end = text.find(closer, start, limit)
    if closer != "$":
        return end
    hugs = end > start and not text[start].isspace() and not text[end - 1].isspace() and text[end - 1] != "\\"
    return end if hugs and not text[end + 1 : end + 2].isdigit() else -1


def block_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if state.is_code_block(start_line):
        return False
    begin = state.bMarks[start_line] + state.tShift[start_line]
    first = state.src[begin : state.eMarks[start_line]]
    environment = ENVIRONMENT.match(first)
    opener = environment.group() if environment else first[:2]
    closer = opener.replace("begin", "end", 1) if environment else CLOSERS.get(opener, "")
    if not closer or opener == "\\(":
        return False
    lines = [first[len(opener) :]]
    line = start_line
    while closer not in lines[-1]:
        line += 1
        if (
            line >= end_line
            or line - start_line > MOST_LINES
            or state.isEmpty(line)
            or state.sCount[line] < state.blkIndent
        ):
            return False
        lines.append(state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]])
    last, _, rest = lines[-1].partition(closer)
    content = "\n".join([*lines[:-1], last]).strip()
    if rest.strip() or not content or len(content) > LONGEST:
        return False
    if not silent:
        token = state.push("math_block", "", 0)
        token.content = f"{opener}{content}{closer}" if environment else content
        token.map, token.block = [start_line, line + 1], True
        state.line = line + 1
    return True


def render(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    if token.block:
        return f'<div class="math">\\[{escape(token.content)}\\]</div>\n'
    ends = ("\\[", "\\]") if token.meta["display"] else ("\\(", "\\)")
    return f'<span class="math">{ends[0]}{escape(token.content)}{ends[1]}</span>'
