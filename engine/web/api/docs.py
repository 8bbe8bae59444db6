"""`/api/docs`: the OpenAPI document as one plain page, rendered here: no script, nothing fetched from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from engine.web.api.problems import CODES

router = APIRouter(include_in_schema=False)

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; padding: .3rem 0 } code, pre { font-size: .9rem }
summary, li, td:last-child { overflow-wrap: anywhere } td:last-child { min-width: 10rem }
pre { overflow-x: auto; padding: .5rem; border: 1px solid #8886 }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top }
"""
APOSTROPHE = re.compile(r"(?<=[a-z])'(?=[a-z]\b)|(?<=s)'(?= [a-z])")
"""One of English, in what the code says of a route: people read it as everywhere else."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@router.get("/api/docs")
async def show_docs(request: Request) -> HTMLResponse:
    """Show the API to people."""
    return HTMLResponse(render_docs(request.app.openapi()), headers={"Content-Security-Policy": POLICY})


def render_docs(document: Mapping[str, Any]) -> str:
    """Return the page of one OpenAPI document."""
    info = document["info"]
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            f"<p>{_prose(info.get('description', ''))}</p>",
            '<p>The same for machines: <a href="openapi.json">openapi.json</a>.</p>',
            "<h2>Routes</h2>",
            *_routes(document),
            "<h2>Problems</h2>",
            "<p>Errors are <code>application/problem+json</code> (RFC 9457); their <code>type</code> ends in:</p>",
            "<table>",
            *(
                f'<tr id="problem-{code}"><td><code>problem-{code}</code></td><td>{_prose(text)}</td></tr>'
                for code, text in CODES.items()
            ),
            "</table><h2>Schemas</h2>",
            *_schemas(document),
            "</body></html>",
        )
    )


def _prose(text: str) -> str:
    return escape(APOSTROPHE.sub("’", text))


def _routes(document: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<details><summary><code>{method.upper()} {escape(path)}</code> {_first_line(operation)}</summary>"
            yield f"<p>{_prose(operation.get('description', ''))}</p>"
            yield from _parameters(operation.get("parameters", ()))
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if body is not None:
                yield f"<p>Body: {_schema_name(body)}</p>"
            yield "<ul>"
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get("application/json", {}).get("schema", {})
                yield f"<li>{escape(status)}: {_prose(answer['description'])} {_schema_name(content)}</li>"
            yield "</ul></details>"


def _first_line(operation: Mapping[str, Any]) -> str:
    return _prose(operation.get("description", operation.get("summary", "")).partition(".")[0])


def _parameters(parameters: Any) -> Iterator[str]:
    if not parameters:
        return
    yield "<table>"
    for item in parameters:
        need = "required" if item.get("required") else "optional"
        schema = escape(json.dumps(item.get("schema", {})))
        yield f"<tr><td><code>{escape(item['name'])}</code></td><td>{item['in']}, {need}</td><td>{schema}</td></tr>"
    yield "</table>"


def _schema_name(schema: Mapping[str, Any]) -> str:
    """Link to the first schema named anywhere within *schema*."""
    _, found, rest = json.dumps(schema).partition("#/components/schemas/")
    name = escape(rest.partition('"')[0])
    return f'<a href="#schema-{name}">{name}</a>' if found else ""


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
        text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<pre>{text}</pre></details>"
