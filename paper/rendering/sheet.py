"""The sign at the door as a sheet of A4, a page for each site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, PageBreak
from reportlab.platypus import Paragraph as Text

from paper.content import Labelled, Paper, Paragraph, Section
from paper.rendering.pictogram import HEIGHT, SHAPES, WIDTH, Polygon

_GROUND = HexColor("#0b3d91")
_INK, _GREY, _LINE = HexColor("#101317"), HexColor("#4a515c"), HexColor("#b9c0cb")
_EDGE: Final = 12 * mm
_HEAD: Final = 128 * mm
_CAMERA: Final = 78 * mm


class _Sheet(Flowable):  # type: ignore[misc]
    """Fills the page whatever the frame is; what does not fit at its size is made smaller until it does."""

    def __init__(self, paper: Paper, section: Section, dated: str, fonts: tuple[str, str]) -> None:
        super().__init__()
        self._title, self._section, self._dated, self._fonts = paper.title, section, dated, fonts
        self.width = self.height = 0

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """It takes no room of the frame."""
        return (0, 0)

    def draw(self) -> None:
        """Draw the whole page from its corner."""
        canvas = self.canv
        x, y = canvas.absolutePosition(0, 0)
        canvas.translate(-x, -y)
        self._draw_head(canvas)
        self._draw_facts(canvas)
        canvas.setFillColor(_GREY)
        canvas.setFont(self._fonts[0], 9)
        canvas.drawString(_EDGE, 9 * mm, f"{self._section.title} · {self._dated}")

    def _draw_head(self, canvas: Any) -> None:
        width, top = A4[0] - 2 * _EDGE, A4[1] - _EDGE
        canvas.setFillColor(_GROUND)
        canvas.roundRect(_EDGE, top - _HEAD, width, _HEAD, 6 * mm, stroke=0, fill=1)
        _camera(canvas, (A4[0] - _CAMERA) / 2, top - 9 * mm, _CAMERA)
        first = next(block.text for block in self._section.blocks if isinstance(block, Paragraph))
        for text, font, size, y in ((self._title, 1, 50.0, 29 * mm), (first, 0, 25.0, 10 * mm)):
            style = ParagraphStyle("head", fontName=self._fonts[font], alignment=TA_CENTER, textColor=white)
            _fitted(text, style, size, width - 12 * mm, size * 1.25).drawOn(canvas, _EDGE + 6 * mm, top - _HEAD + y)

    def _draw_facts(self, canvas: Any) -> None:
        top, bottom = A4[1] - _EDGE - _HEAD - 6 * mm, 15 * mm
        for size in (19.0, 17.0, 15.0, 13.0, 11.0, 9.0):
            labels = self._labels_width(size)
            rows = self._rows(size, labels)
            if sum(height for _, _, height in rows) <= top - bottom:
                break
        for label, text, height in rows:
            if label is None:
                text.drawOn(canvas, _EDGE, top - height + 1 * mm)
            else:
                label.drawOn(canvas, _EDGE, top - 2 * mm - label.height)
                text.drawOn(canvas, _EDGE + labels, top - 2 * mm - text.height)
                canvas.setStrokeColor(_LINE)
                canvas.line(_EDGE, top - height, A4[0] - _EDGE, top - height)
            top -= height

    def _labels_width(self, size: float) -> float:
        labels = [block.label for block in self._section.blocks if isinstance(block, Labelled)]
        return float(max(stringWidth(label, self._fonts[1], size) for label in labels) + 6 * mm)

    def _rows(self, size: float, labels: float) -> list[tuple[Any, Any, float]]:
        """(label, text, height) of each line; the last has no label."""
        width = A4[0] - 2 * _EDGE
        regular, bold = (
            ParagraphStyle("fact", fontName=font, fontSize=size, leading=size * 1.25, textColor=_INK)
            for font in self._fonts
        )
        rows: list[tuple[Any, Any, float]] = []
        for block in self._section.blocks:
            if isinstance(block, Labelled):
                label, text = Text(escape(block.label), bold), Text(escape(block.text), regular)
                height = max(label.wrap(labels, 0)[1], text.wrap(width - labels, 0)[1])
                rows.append((label, text, height + 5 * mm))
        last = self._section.blocks[-1]
        if isinstance(last, Paragraph):
            smaller = ParagraphStyle("last", parent=regular, fontSize=size * 0.8, leading=size)
            text = Text(escape(last.text), smaller)
            rows.append((None, text, text.wrap(width, 0)[1] + 6 * mm))
        return rows


def sheets(paper: Paper, dated: str, regular: str, bold: str) -> Iterable[Flowable]:
    """A page for each section."""
    for number, section in enumerate(paper.sections):
        if number:
            yield PageBreak()
        yield _Sheet(paper, section, dated, (regular, bold))


def _fitted(text: str, style: ParagraphStyle, size: float, width: float, height: float) -> Any:
    """The text in one line of that height, in the largest size up to ``size`` in which it fits."""
    while True:
        made = Text(escape(text), ParagraphStyle("fitted", parent=style, fontSize=size, leading=size * 1.2))
        if made.wrap(width, 0)[1] <= height or size < 8:
            return made
        size *= 0.95


def _camera(canvas: Any, left: float, top: float, width: float) -> None:
    scale = width / WIDTH
    assert HEIGHT * scale < _HEAD
    for shape in SHAPES:
        canvas.setFillColor(white)
        if isinstance(shape, Polygon):
            path = canvas.beginPath()
            for number, (x, y) in enumerate(shape.points):
                (path.lineTo if number else path.moveTo)(left + x * scale, top - y * scale)
            path.close()
            canvas.drawPath(path, stroke=0, fill=1)
        else:
            canvas.setFillColor(_GROUND if shape.hollow else white)
            canvas.circle(left + shape.x * scale, top - shape.y * scale, shape.radius * scale, stroke=0, fill=1)
