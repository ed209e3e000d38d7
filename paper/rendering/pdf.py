"""A paper as PDF, A4. By ReportLab: BSD, Python alone, with the typeface Bitstream Vera, which knows Finnish letters.

WeasyPrint needs Pango of the system, Chromium is on no operator's machine, fpdf2 is LGPL and brings no typeface.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache, partial
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    ListFlowable,
    PageBreak,
    SimpleDocTemplate,
    Spacer,
    Table,
)
from reportlab.platypus import Paragraph as Text

from paper.content import Blank, Block, Items, Kind, Labelled, Paper, Paragraph, Section
from paper.errors import PaperError
from paper.rendering.html import dated
from paper.rendering.sheet import sheets

REGULAR, BOLD = "PaperRegular", "PaperBold"
_INK, _GREY, _LINE = HexColor("#16181d"), HexColor("#545b66"), HexColor("#c3c9d2")
_MARGIN: Final = 18 * mm
_PADDING: Final = 6  # of the frame that ReportLab makes inside the margins
_WIDTH: Final = A4[0] - 2 * _MARGIN
_ROOM: Final = 22 * mm  # below a question


def pdf(paper: Paper, date: str) -> bytes:
    """The whole file. PaperError: a letter that the typeface does not have."""
    _check_letters(paper)
    out = io.BytesIO()
    canvas = partial(Canvas, initialFontName=REGULAR)
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN - _PADDING,
        rightMargin=_MARGIN - _PADDING,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=paper.title,
        author="",
        lang=paper.language,
    )
    if paper.kind == Kind.SIGN:
        document.build(list(sheets(paper, dated(paper, date), REGULAR, BOLD)), canvasmaker=canvas)
    else:
        footer = partial(_footer, paper.title)
        story = list(_story(paper, date))
        document.build(story, onFirstPage=footer, onLaterPages=footer, canvasmaker=canvas)
    return out.getvalue()


@cache
def _fonts() -> tuple[TTFont, TTFont]:
    fonts = TTFont(REGULAR, "Vera.ttf"), TTFont(BOLD, "VeraBd.ttf")
    for font in fonts:
        pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return fonts


def _check_letters(paper: Paper) -> None:
    known = _fonts()[0].face.charToGlyph
    for section, lines in paper.lines.items():
        if missing := sorted({sign for line in lines for sign in line if ord(sign) not in known}):
            raise PaperError(
                f"The PDF's typeface has no {missing[0]!r}, which stands in the section {section} of {paper.kind}.",
                "Make the HTML (without --pdf), and print it with a browser.",
            )


def _style(name: str, size: float, *, bold: bool = False, before: float = 0, after: float = 4, **more: Any) -> Any:
    _fonts()
    return ParagraphStyle(
        name,
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.4,
        spaceBefore=before,
        spaceAfter=after,
        textColor=more.pop("textColor", _INK),
        **more,
    )


def _story(paper: Paper, date: str) -> Iterable[Flowable]:
    yield Text(escape(paper.title), _style("title", 17, bold=True, after=2))
    yield Text(escape(dated(paper, date)), _style("date", 9, textColor=_GREY, after=6))
    for number, section in enumerate(paper.sections):
        if paper.kind == Kind.BALANCING and number:
            yield PageBreak()  # a camera's test is signed and filed by itself
        yield from _section(section)


def _section(section: Section) -> Iterable[Flowable]:
    heading = Text(escape(section.title), _style("heading", 11.5, bold=True, before=12, after=4, keepWithNext=1))
    yield CondPageBreak(30 * mm)
    yield heading
    for block in section.blocks:
        yield from _block(block)


def _block(block: Block) -> Iterable[Flowable]:
    body = _style("body", 9.5)
    if isinstance(block, Paragraph):
        yield Text(escape(block.text), body)
    elif isinstance(block, Items):
        items = [Text(escape(item), body) for item in block.items]
        yield ListFlowable(items, bulletType="bullet", bulletFontName=REGULAR, bulletFontSize=9.5, leftIndent=12)
        yield Spacer(0, 3)
    elif isinstance(block, Labelled):
        yield Text(f"<b>{escape(block.label)}:</b> {escape(block.text)}", body)
    elif isinstance(block, Blank):
        rule = Table(
            [[""]], colWidths=[_WIDTH], rowHeights=[_ROOM], style=[("LINEBELOW", (0, 0), (-1, -1), 0.6, _GREY)]
        )
        yield KeepTogether([Text(escape(block.label), _style("asked", 9.5, before=6)), rule])
    else:
        yield Text(escape(block.caption), _style("caption", 8.5, textColor=_GREY, after=1, keepWithNext=1))
        yield _table(block.head, block.rows)
        yield Spacer(0, 6)


def _table(head: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Flowable:
    bold, cell = _style("head", 8.5, bold=True, after=0), _style("cell", 8.5, after=0)
    cells = [[Text(escape(text), bold) for text in head]]
    for row in rows:
        cells.append([Text(escape(text), cell if number else bold) for number, text in enumerate(row)])
    weights = [max(len(row[column]) for row in (head, *rows)) ** 0.6 for column in range(len(head))]
    least = [_longest_word([row[column] for row in (head, *rows)]) for column in range(len(head))]
    left = _WIDTH - sum(least)
    if left < 0:  # then words break
        least, left = [0.0] * len(head), _WIDTH
    widths = [word + left * weight / sum(weights) for word, weight in zip(least, weights, strict=True)]
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, _GREY),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    return Table(cells, colWidths=widths, repeatRows=1, style=style)


def _longest_word(texts: list[str]) -> float:
    return float(max(pdfmetrics.stringWidth(word, BOLD, 8.5) for text in texts for word in text.split() or [""]) + 7)


def _footer(title: str, canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(REGULAR, 8)
    canvas.setFillColor(_GREY)
    canvas.drawString(_MARGIN, 10 * mm, title)
    canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, str(document.page))
    canvas.restoreState()
