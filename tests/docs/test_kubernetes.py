"""The manifest of the how-to page fits the image and the mock: ports, probes, variables, configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.docs.support.blocks import BLOCKS, ROOT
from tests.support.serving import Served, serve

(MANIFEST,) = (block.text for block in BLOCKS if block.document.name == "kubernetes.md" and block.language == "yaml")
OBJECTS: Mapping[str, Any] = {one["kind"]: one for one in yaml.safe_load_all(MANIFEST)}
POD = OBJECTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
VARIABLES: Mapping[str, str] = {one["name"]: one["value"] for one in CONTAINER["env"]}
PROBES = {name: probe for name, probe in CONTAINER.items() if name.endswith("Probe")}
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The mock with the configuration and the variables of the manifest."""
    folder = tmp_path_factory.mktemp("config")
    for name, text in OBJECTS["ConfigMap"]["data"].items():
        (folder / name).write_text(text, encoding="utf-8")
    config = str(folder / Path(VARIABLES["AGENT_CONTRACT_CONFIG"]).name)
    with serve(environment={**os.environ, **VARIABLES, "AGENT_CONTRACT_CONFIG": config}) as served:
        yield served


def test_the_service_leads_to_the_port_of_the_image() -> None:
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    (port,) = OBJECTS["Service"]["spec"]["ports"]
    exposed = re.search(r"^EXPOSE (\d+)$", CONTAINERFILE, re.MULTILINE)
    assert exposed
    assert ports[port["targetPort"]] == port["port"] == int(exposed[1])


def test_the_service_and_the_deployment_select_the_pod() -> None:
    labels = POD["metadata"]["labels"]
    assert OBJECTS["Service"]["spec"]["selector"] == labels
    assert OBJECTS["Deployment"]["spec"]["selector"]["matchLabels"] == labels


def test_the_configuration_is_a_file_of_the_mounted_map() -> None:
    (volume,), (mount,) = POD["spec"]["volumes"], CONTAINER["volumeMounts"]
    path = Path(VARIABLES["AGENT_CONTRACT_CONFIG"])
    assert (mount["name"], volume["configMap"]["name"]) == (volume["name"], OBJECTS["ConfigMap"]["metadata"]["name"])
    assert str(path.parent) == mount["mountPath"]
    assert path.name in OBJECTS["ConfigMap"]["data"]


def test_the_image_does_not_run_as_root() -> None:
    user = re.search(r"^USER (\d+)", CONTAINERFILE, re.MULTILINE)
    assert CONTAINER["securityContext"]["runAsNonRoot"] is True
    assert user
    assert int(user[1]) > 0


def test_the_mock_accepts_the_variables_and_the_configuration(mock: Served) -> None:
    agents = httpx.get(f"{mock.base}/agents").json()["data"]
    assert [agent["name"] for agent in agents] == ["librarian"]


@pytest.mark.parametrize("name", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_the_mock_answers_a_probe(mock: Served, name: str) -> None:
    probe = PROBES[name]["httpGet"]
    assert probe["port"] in {port["name"] for port in CONTAINER["ports"]}
    answer = httpx.get(mock.url + probe["path"], headers={"Host": "10.1.2.3:8000"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("agent-mock:8000", 200), (f"{VARIABLES['AGENT_CONTRACT_ALLOW_HOST']}:8000", 200), ("other.example.com", 403)],
)
def test_the_control_api_answers_at_the_names_of_the_service(mock: Served, host: str, status: int) -> None:
    assert httpx.get(f"{mock.url}/__mock__/requests", headers={"Host": host}).status_code == status
