"""Reads an OpenAPI document once, into an immutable contract that requests and replies are checked against."""

from agent_contract.body import BodyProblem
from agent_contract.chains import Step
from agent_contract.check import Call, check_reply, check_request, understand
from agent_contract.contract import Contract, load_contract
from agent_contract.errors import ContractError, Problem, UnreadableError
from agent_contract.events import parse_events
from agent_contract.fastapi_errors import error_detail
from agent_contract.location import find_document
from agent_contract.operations import Example, Link, MediaType, Operation, RequestBody, Response
from agent_contract.parameters import Parameter
from agent_contract.raw_schema import RawSchema, SchemaRefused, read_schema
from agent_contract.routes import Found, NotAllowed
from agent_contract.sample import SampleError, sample
from agent_contract.values import GRADES, JSON, Clause, Event, Exchange, Headers, Location, Reply, Request, Violation

__all__ = [
    "GRADES",
    "JSON",
    "BodyProblem",
    "Call",
    "Clause",
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
    "RawSchema",
    "Reply",
    "Request",
    "RequestBody",
    "Response",
    "SampleError",
    "SchemaRefused",
    "Step",
    "UnreadableError",
    "Violation",
    "check_reply",
    "check_request",
    "error_detail",
    "find_document",
    "load_contract",
    "parse_events",
    "read_schema",
    "sample",
    "understand",
]
