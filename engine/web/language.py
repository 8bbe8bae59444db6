"""Which language a caller reads: `?lang=`, else Accept-Language (RFC 9110), else English."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Header, Query, Request

from engine.reconcile.words.reasons import LANGUAGES

DEFAULT = LANGUAGES[0]


def choose_language(accepted: str) -> str:
    """Return the language that the header *accepted* likes best among ours; the first of equals wins."""
    best, best_quality = DEFAULT, 0.0
    for part in accepted.split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().partition("-")[0].lower()
        language = DEFAULT if language == "*" else language
        quality = _quality(parameters)
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def language_of(request: Request) -> str:
    """Return the language of *request*, whatever else it asks for, and also where it asks in vain."""
    wanted = request.query_params.get("lang", "")
    return wanted if wanted in LANGUAGES else choose_language(request.headers.get("accept-language", ""))


async def find_language(
    lang: Annotated[Literal["en", "fr"] | None, Query(description="Language of the texts.")] = None,
    accept_language: Annotated[str, Header()] = "",
) -> str:
    """Return the language of this request."""
    return lang or choose_language(accept_language)


Language = Annotated[str, Depends(find_language)]
