"""Routes of series made in the app: every date shown before it is booked, then all booked at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from engine.ids import ID_MAX
from engine.web.access import Staff, Viewer
from engine.web.api.series_models import SeriesIn, SeriesOut, SeriesPreviewOut, render_preview, render_series
from engine.web.language import Language
from engine.web.parts import Parts

router = APIRouter(prefix="/series", tags=["series"])

SeriesId = Annotated[int, Path(ge=1, le=ID_MAX, description="The series' number, as its loans name it.")]


@router.post("/preview")
def preview_series(parts: Parts, caller: Viewer, order: SeriesIn, language: Language) -> SeriesPreviewOut:
    """Show every date with what stands in its way, and the free rooms that could stand in. Books nothing."""
    wanted = order.parse(parts.series)
    planned = parts.series.preview(wanted)
    return render_preview(wanted, planned, lambda code, facts: parts.explain(code, facts, language), language)


@router.post("", status_code=201)
def book_series(parts: Parts, caller: Staff, order: SeriesIn, response: Response, language: Language) -> SeriesOut:
    """
    Book every date, each as a loan of its own, or none.

    409 with `conflicts` when a date is taken and no choice was made for it; 422 when a rule says no.
    """
    made = parts.series.book(order.parse(parts.series), actor=caller.actor)
    response.headers["Location"] = f"{parts.base_address}/api/series/{made.id}"
    return render_series(made, language)


@router.get("/{series:int}")
def show_series(parts: Parts, caller: Viewer, series: SeriesId, language: Language) -> SeriesOut:
    """Show a series, made in the app or in Outlook, with its loans."""
    return render_series(parts.series.find(series), language)
