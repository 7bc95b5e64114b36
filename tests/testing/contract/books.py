"""A vendor of our own, with a specification of its own: it lends books, and takes readers in batches."""

import json
from pathlib import Path
from typing import Any

from lifecycle_mail.testing.contract import Answer, ContractServer, Correction, Limit, Overlay, Request

READER = {
    "type": "object",
    "required": ["email"],
    "properties": {
        "email": {"type": "string"},
        "status": {"type": "string", "enum": ["in", "out"]},
        "since": {"type": "string", "format": "date-time"},
        "fields": {"type": "object"},
        "home": {"type": "object", "properties": {"town": {"type": "string"}}},
    },
}
ASKING = {
    "discriminator": {"propertyName": "kind"},
    "oneOf": [
        {
            "type": "object",
            "properties": {"kind": {"enum": ["text"]}, "op": {"enum": ["is", "not"]}, "value": {"type": "string"}},
        },
        {"type": "object", "properties": {"kind": {"enum": ["number"]}, "value": {"type": "number"}}},
    ],
}
SPEC: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "Books", "version": "1"},
    "security": [{"key": []}],
    "components": {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        "schemas": {"Reader": READER},
        "parameters": {"Count": {"in": "query", "name": "count", "schema": {"type": "integer"}}},
        "requestBodies": {
            "Reader": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reader"}}}}
        },
    },
    "paths": {
        "/readers": {
            "get": {
                "parameters": [
                    {"$ref": "#/components/parameters/Count"},
                    {"in": "query", "name": "fields", "schema": {"type": "array", "items": {"type": "string"}}},
                ],
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["readers"],
                                    "properties": {
                                        "readers": {"type": "array", "items": {"$ref": "#/components/schemas/Reader"}}
                                    },
                                }
                            }
                        },
                    }
                },
            },
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "readers": {"type": "array", "items": {"$ref": "#/components/schemas/Reader"}},
                                    "asking": {"type": "array", "items": ASKING},
                                },
                            }
                        }
                    }
                },
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"taken": {"type": "integer"}}}
                            }
                        },
                    },
                    "default": {
                        "description": "",
                        "content": {
                            "application/problem+json": {
                                "schema": {"type": "object", "properties": {"title": {"type": "string"}}}
                            }
                        },
                    },
                },
            },
        },
        "/readers/{reader}": {
            "parameters": [{"in": "path", "name": "reader", "required": True, "schema": {"type": "string"}}],
            "get": {
                "responses": {
                    "200": {
                        "description": "",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reader"}}},
                    }
                }
            },
            "put": {
                "requestBody": {"$ref": "#/components/requestBodies/Reader"},
                "responses": {"204": {"description": ""}},
            },
        },
        "/readers/all": {"get": {"responses": {"200": {"description": "", "content": {"application/json": {}}}}}},
    },
}
OVERLAY = Overlay(
    corrections=(
        Correction(
            operation="PUT /readers/{reader}",
            place="body",
            merge={"required": None},
            reason="the address may be left out of a change",
        ),
    ),
    limits=(
        Limit(operation="POST /readers", place="body.readers", most=3, reason="so they say"),
        Limit(operation="POST /readers", place="body.readers[].email", most=20, reason="so they say"),
        Limit(operation="POST /readers", place="bytes", most=500, reason="so they say"),
        Limit(operation="GET *", place="query.count", most=10, reason="so they say"),
    ),
    beyond=("GET /covers/{name}",),
    may_be_empty=frozenset({"date-time"}),
    connections=4,
)
KEY = {"Authorization": "Bearer key"}


class Books:
    """The vendor: it keeps readers, and says what it is told to say.

    Attributes:
        readers: everybody, by address.
        says: answers to give instead, by operation.
        breaks: whether it falls over.
    """

    def __init__(self) -> None:
        self.readers: dict[str, dict[str, Any]] = {}
        self.says: dict[str, Answer] = {}
        self.breaks = False

    def answer(self, request: Request) -> Answer:
        """Do what a request asks for."""
        if self.breaks:
            raise RuntimeError("no books")
        if request.operation in self.says:
            return self.says[request.operation]
        if request.operation == "GET /readers":
            return Answer(json={"readers": list(self.readers.values())})
        if request.operation == "POST /readers":
            self.readers |= {one["email"]: one for one in request.json.get("readers", [])}
            return Answer(json={"taken": len(request.json.get("readers", []))})
        if request.operation == "PUT /readers/{reader}":
            self.readers.setdefault(request.path_parameters["reader"], {"email": "?"}).update(request.json)
            return Answer(status=204)
        if request.operation == "GET /readers/{reader}":
            return Answer(json=self.readers.get(request.path_parameters["reader"], {"email": "nobody"}))
        return Answer(json={"path": request.path})


def spec_file(folder: Path, spec: dict[str, Any] = SPEC) -> Path:
    """Write a specification into a folder, and return the file."""
    file = folder / "books.json"
    file.write_text(json.dumps(spec))
    return file


def serve(folder: Path, books: Books | None = None, overlay: Overlay = OVERLAY, **options: Any) -> ContractServer:
    """Return a server that holds everything against the specification."""
    return ContractServer([spec_file(folder)], books or Books(), overlay=overlay, prefix="/v1", **options)
