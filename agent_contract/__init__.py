"""Reads an OpenAPI document once, into an immutable contract that requests and replies are checked against."""

from agent_contract.compiler.example_chains import Step
from agent_contract.compiler.routes import Found, NotAllowed
from agent_contract.contract import Contract, load_contract
from agent_contract.document.errors import ContractError, Problem, UnreadableError
from agent_contract.document.own_document import find_document
from agent_contract.messages import GRADES, JSON, Clause, Event, Exchange, Headers, Location, Reply, Request, Violation
from agent_contract.model.operations import Example, Link, MediaType, Operation, RequestBody, Response
from agent_contract.model.parameters import Parameter
from agent_contract.sampling.client_schema import RawSchema, SchemaRefused, read_schema
from agent_contract.sampling.sampler import SampleError, sample
from agent_contract.validation.check import Call, check_reply, check_request, understand
from agent_contract.validation.fastapi_errors import error_detail
from agent_contract.validation.json_body import BodyProblem
from agent_contract.validation.sse import parse_events

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
