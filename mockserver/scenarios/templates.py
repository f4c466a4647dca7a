"""Answers that are Jinja2 templates over the request and its session, with bounded work and output.

Jinja2 is imported when the first rule has a template. Its sandbox keeps templates from Python's internals; what could
take long or grow is refused when the rule is set, and what remains has a limit of time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from agent_contract.document.checked_file import suggestion
from agent_contract.installation import missing
from mockserver.scenarios.matching import Question

if TYPE_CHECKING:
    import jinja2

#: Maximum length of what a template makes, in characters, and of the time it takes, in seconds.
MOST_OUTPUT, MOST_SECONDS = 100_000, 0.5
#: The names that a template can use, and what they are.
VARIABLES: Mapping[str, Callable[[Question, int], Any]] = {
    "user": lambda question, _: question.user,
    "messages": lambda question, _: list(question.messages),
    "session": lambda question, _: list(reversed(question.earlier())),
    "turn": lambda question, _: question.turn,
    "tool_results": lambda question, _: [{"name": name, "text": text} for name, text in question.results()][::-1],
    "agent": lambda question, _: question.agents[-1] if question.agents else "",
    "model": lambda question, _: question.model,
    "stream": lambda question, _: question.stream,
    "headers": lambda question, _: dict(question.headers),
    "body": lambda question, _: question.body,
    "number": lambda _, number: number + 1,
}
#: Statements and expressions without assignments, calls and arithmetic that grows: only the output can be long.
# fmt: off
_NODES = frozenset({
    "Template", "Output", "TemplateData", "Const", "Name", "Getattr", "Getitem", "Slice", "List", "Tuple", "Dict",
    "Pair", "Keyword", "If", "CondExpr", "Compare", "Operand", "And", "Or", "Not", "Add", "Sub", "Neg", "Pos",
    "Concat", "For", "Filter", "Test",
})
_FILTERS = frozenset({
    "capitalize", "count", "d", "default", "e", "escape", "first", "float", "int", "join", "last", "length", "list",
    "lower", "reverse", "string", "title", "tojson", "trim", "truncate", "upper", "urlencode",
})
# fmt: on


class TemplateInvalid(ValueError):
    """A template can't be used; the message is why, `remedy` what to do."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


class TemplateFailed(Exception):
    """A template can't be rendered for a request."""


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template."""

    source: str
    names: frozenset[str]
    compiled: jinja2.Template

    def render(self, question: Question, number: int) -> str:
        """Return the text for a request that gets the answer with this number, from 0; raises `TemplateFailed`."""
        values = {name: VARIABLES[name](question, number) for name in self.names}
        parts, size, before = [], 0, sys.gettrace()
        sys.settrace(_limited(time.monotonic() + MOST_SECONDS))
        try:
            for part in self.compiled.generate(values):
                size += len(part)
                if size > MOST_OUTPUT:
                    raise TemplateFailed(f"its text has more than {MOST_OUTPUT} characters")
                parts.append(part)
        except TemplateFailed:
            raise
        except Exception as error:
            raise TemplateFailed(str(error)[:200] or type(error).__name__) from None
        finally:
            sys.settrace(before)
        return "".join(parts)


def compile_template(source: str) -> Template:
    """Return the compiled template; raises `TemplateInvalid`."""
    try:
        import jinja2
        from jinja2 import meta, nodes
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError as error:
        raise TemplateInvalid(missing(error, "A template", "templates"), "install it, or write text") from None
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    try:
        tree = environment.parse(source)
    except (jinja2.TemplateSyntaxError, RecursionError) as error:
        raise TemplateInvalid(f"the template is not valid Jinja2: {error}", "correct it, or write text") from None
    for node in tree.find_all(nodes.Node):
        kind = type(node).__name__
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            remedy = f"use {', '.join(sorted(_FILTERS))}"
            raise TemplateInvalid(f"the filter {node.name} is not available in templates", remedy)
        if kind not in _NODES or (isinstance(node, nodes.For) and _is_nested(node, nodes.For)):
            what = "a loop in a loop" if isinstance(node, nodes.For) else kind.lower()
            remedy = "use variables, attributes, conditions, filters and simple loops"
            raise TemplateInvalid(f"line {node.lineno} of the template has {what}, which is not available", remedy)
    names = frozenset(meta.find_undeclared_variables(tree))
    for name in sorted(names - set(VARIABLES)):
        listed = suggestion(name, list(VARIABLES)).replace("known keys here", "variables")
        raise TemplateInvalid(f'"{name}" is not a variable of templates', listed)
    return Template(source, names, environment.from_string(source))


def _is_nested(loop: Any, kind: type) -> bool:
    return loop.recursive or next(iter(loop.find_all(kind)), None) is not None


def _limited(end: float) -> Callable[[FrameType, str, Any], Any]:
    """Return a function for `sys.settrace` that ends code at a time."""

    def trace(frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG001
        if time.monotonic() > end:
            raise TemplateFailed(f"it takes more than {MOST_SECONDS:g} s")
        return trace

    return trace
