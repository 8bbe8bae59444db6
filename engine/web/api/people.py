"""Routes of people: what is known of a requester from outside beside name and address."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from engine.loans.details import DetailsBook
from engine.web.access import Staff
from engine.web.api import wire
from engine.web.api.app import PROBLEMS
from engine.web.api.models import DetailsIn, DetailsOut, render_details

Whose = Annotated[wire.Address, Path(description="Their mail address, or an alias of it.")]


def build_people(people: DetailsBook) -> APIRouter:
    """Return the routes over *people*."""
    router = APIRouter(prefix="/api/people", tags=["people"], responses=PROBLEMS)

    @router.get("/{address}/details")
    def show_details(caller: Staff, address: Whose) -> DetailsOut:
        """Show what is known of a requester, for their contact."""
        return render_details(people.details(address))

    @router.patch("/{address}/details")
    def change_details(caller: Staff, address: Whose, wanted: DetailsIn) -> DetailsOut:
        """Write what is known of somebody a loan was made for. What is left out stays as it is; "" forgets it."""
        return render_details(people.set_details(address, wanted.parse()))

    return router
