"""What `serve --like` takes from a report."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from agent_contract.cli import UserError
from agent_contract.document.errors import ContractError


def imitation() -> Any:
    """Return the module that imitates deployments. It is in a layer above the mock, and so is loaded by its name."""
    return import_module("server_defects.imitation")


def profile_for(report: Path, options: dict[str, Any]) -> Any:
    """Return the profile of a deployment; it changes the options of the engine that are not given."""
    from mockserver.build import own_contract
    from mockserver.config import Config, load_config

    try:
        module = imitation()
        profile = module.load_profile(report, own_contract(options["api_version"] or ""))
        config = load_config(options["config"]) if options["config"] else Config()
    except ImportError as error:
        raise UserError(f"--like needs {error.name}: pip install 'agent-contract-kit[verify]'") from None
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--like") from None
    options["config"] = module.with_agent(config, profile)
    options["fault"] = (*options["fault"], *profile.faults)
    if not (options["ttft"] or options["tps"]):
        options |= {"ttft": profile.pace.ttft, "tps": profile.pace.tps}
    return profile
