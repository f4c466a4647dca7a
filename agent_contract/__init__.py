"""Reads an OpenAPI document once, into an immutable contract that requests and replies are checked against."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_contract.compiler.example_chains import Step
    from agent_contract.compiler.routes import Found, NotAllowed
    from agent_contract.contract import Contract
    from agent_contract.document.errors import ContractError, Problem, UnreadableError
    from agent_contract.document.own_document import find_document
    from agent_contract.load import load_contract
    from agent_contract.messages import (
        GRADES,
        JSON,
        Clause,
        Event,
        Exchange,
        Headers,
        Location,
        Reply,
        Request,
        Violation,
    )
    from agent_contract.model.operations import Example, Link, MediaType, Operation, RequestBody, Response
    from agent_contract.model.parameters import Parameter
    from agent_contract.sampling.budget import WorkBudget, WorkBudgetError
    from agent_contract.sampling.client_schema import ClientSchema, SchemaRefused, read_schema
    from agent_contract.sampling.document_value import sample
    from agent_contract.sampling.sampler import SampleError
    from agent_contract.validation.check import Call, check_reply, check_request, parse_call
    from agent_contract.validation.fastapi_errors import error_detail
    from agent_contract.validation.json_body import BodyProblem, exceeds_symbols
    from agent_contract.validation.sse import parse_events

__all__ = [
    "GRADES",
    "JSON",
    "BodyProblem",
    "Call",
    "Clause",
    "ClientSchema",
    "Contract",
    "ContractError",
    "Event",
    "Example",
    "Exchange",
    "Found",
    "Headers",
    "Link",
    "Location",
    "MediaType",
    "NotAllowed",
    "Operation",
    "Parameter",
    "Problem",
    "Reply",
    "Request",
    "RequestBody",
    "Response",
    "SampleError",
    "SchemaRefused",
    "Step",
    "UnreadableError",
    "Violation",
    "WorkBudget",
    "WorkBudgetError",
    "check_reply",
    "check_request",
    "error_detail",
    "exceeds_symbols",
    "find_document",
    "load_contract",
    "parse_call",
    "parse_events",
    "read_schema",
    "sample",
]

# Imported when a name is used: pytest loads this package at every start, for its plugin.
_MODULES = {
    "BodyProblem": "agent_contract.validation.json_body",
    "WorkBudget": "agent_contract.sampling.budget",
    "WorkBudgetError": "agent_contract.sampling.budget",
    "Call": "agent_contract.validation.check",
    "Clause": "agent_contract.messages",
    "ClientSchema": "agent_contract.sampling.client_schema",
    "Contract": "agent_contract.contract",
    "ContractError": "agent_contract.document.errors",
    "Event": "agent_contract.messages",
    "Example": "agent_contract.model.operations",
    "Exchange": "agent_contract.messages",
    "Found": "agent_contract.compiler.routes",
    "GRADES": "agent_contract.messages",
    "Headers": "agent_contract.messages",
    "JSON": "agent_contract.messages",
    "Link": "agent_contract.model.operations",
    "Location": "agent_contract.messages",
    "MediaType": "agent_contract.model.operations",
    "NotAllowed": "agent_contract.compiler.routes",
    "Operation": "agent_contract.model.operations",
    "Parameter": "agent_contract.model.parameters",
    "Problem": "agent_contract.document.errors",
    "Reply": "agent_contract.messages",
    "Request": "agent_contract.messages",
    "RequestBody": "agent_contract.model.operations",
    "Response": "agent_contract.model.operations",
    "SampleError": "agent_contract.sampling.sampler",
    "SchemaRefused": "agent_contract.sampling.client_schema",
    "Step": "agent_contract.compiler.example_chains",
    "UnreadableError": "agent_contract.document.errors",
    "Violation": "agent_contract.messages",
    "check_reply": "agent_contract.validation.check",
    "check_request": "agent_contract.validation.check",
    "error_detail": "agent_contract.validation.fastapi_errors",
    "exceeds_symbols": "agent_contract.validation.json_body",
    "find_document": "agent_contract.document.own_document",
    "load_contract": "agent_contract.load",
    "parse_events": "agent_contract.validation.sse",
    "read_schema": "agent_contract.sampling.client_schema",
    "sample": "agent_contract.sampling.document_value",
    "parse_call": "agent_contract.validation.check",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'agent_contract' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
