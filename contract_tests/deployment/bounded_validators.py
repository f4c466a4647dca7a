"""openapi-core's validators of schemas, which stop after a number of errors instead of collecting all of them."""

from __future__ import annotations

from itertools import islice
from typing import Any

from openapi_core.validation.schemas import (
    oas30_read_schema_validators_factory,
    oas31_schema_validators_factory,
    oas32_schema_validators_factory,
)
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_core.validation.schemas.validators import SchemaValidator

_BY_VERSION = {
    "3.0": oas30_read_schema_validators_factory,
    "3.1": oas31_schema_validators_factory,
    "3.2": oas32_schema_validators_factory,
}


class BoundedValidators(SchemaValidatorsFactory):
    """Makes the validators that openapi-core uses for the version of a document; each reports `most` errors."""

    def __init__(self, openapi: str, most: int) -> None:
        self._factory = _BY_VERSION[openapi[:3]]
        self._most = most

    def create(self, *args: Any, **kwargs: Any) -> SchemaValidator:
        """Return a validator that reports `most` errors."""
        made = self._factory.create(*args, **kwargs)
        return _BoundedValidator(made.schema, made.validator, self._most)


class _BoundedValidator(SchemaValidator):
    def __init__(self, schema: Any, validator: Any, most: int = 1) -> None:
        super().__init__(schema, validator)
        self._most = most

    def validate(self, value: Any) -> None:
        """Raise `InvalidSchemaValue` with the first errors."""
        if errors := tuple(islice(self.validator.iter_errors(value), self._most)):
            expected = (self.schema / "type").read_str_or_list("any")
            raise InvalidSchemaValue(value, expected, schema_errors=errors)
