"""Whether a call has the shape that its function takes. Gradio answers a misshapen one with a 500 and a traceback."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CALL = re.compile(r"/gradio_api/call/(v2/)?([a-z]+)/?")
JOIN = re.compile(r"/gradio_api/queue/join/?")
_NOT_PARAMETERS = {"self", "request"}
_OF_GRADIO = {"oauth_token"}  # Gradio takes it out itself


@dataclass(frozen=True)
class Endpoint:
    """What a named endpoint takes, in order; some of it must be given."""

    parameters: tuple[str, ...]
    required: frozenset[str]


def endpoint_of(function: Callable[..., Any]) -> Endpoint:
    """The shape of a function that is published as an endpoint."""
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in _NOT_PARAMETERS
    }
    required = frozenset(name for name, p in parameters.items() if p.default is inspect.Parameter.empty)
    return Endpoint(tuple(parameters), required)


@dataclass(frozen=True)
class Callables:
    """Everything that can be called: Gradio's functions by number, with how many values each takes, and by name."""

    inputs: Mapping[int, int]
    endpoints: Mapping[str, Endpoint]

    def problem(self, path: str, body: Mapping[str, Any]) -> str | None:
        """What is wrong with a call; None if it can be run."""
        if JOIN.fullmatch(path):
            return self._problem_of_join(body)
        call = CALL.fullmatch(path)
        if call is None:
            return None
        endpoint = self.endpoints[call.group(2)]
        if call.group(1) is None:
            return _wrong_number(body.get("data"), len(endpoint.parameters), ", ".join(endpoint.parameters))
        unknown = set(body) - set(endpoint.parameters) - _OF_GRADIO
        missing = endpoint.required - set(body)
        if unknown or missing:
            return f"The parameters are {', '.join(endpoint.parameters)}; these must be given: {', '.join(endpoint.required)}."
        return None

    def _problem_of_join(self, body: Mapping[str, Any]) -> str | None:
        number = body.get("fn_index")
        if type(number) is not int or number not in self.inputs:
            return "fn_index names no function."
        if not isinstance(body.get("session_hash"), str):
            return "session_hash must be a text."
        return _wrong_number(body.get("data"), self.inputs[number], "the function's inputs")


def _wrong_number(data: object, expected: int, what: str) -> str | None:
    if isinstance(data, list) and len(data) == expected:
        return None
    return f"data must be a list of {expected} values ({what})."
