"""Starts the real servers: llama.cpp's in this process, LiteLLM's proxy in an environment of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import uvicorn
import yaml

from benchmarks.detection.real.gateway import AGENT, create_gateway

__all__ = ["AGENT", "SERVERS", "litellm_behind_gateway", "llama_behind_gateway"]

MODEL = "tiny"
#: LiteLLM's proxy pins other versions of much that this project uses.
PROXY_PACKAGE = "litellm[proxy]==1.83.0"
#: How long a server may take to start, in seconds.
PATIENCE = 120.0


@contextmanager
def llama_cpp() -> Iterator[str]:
    """Serve the tiny model by llama.cpp's own HTTP server; yield its root URL."""
    import xllamacpp

    from benchmarks.detection.real.model import write_model

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tiny.gguf"
        write_model(file)
        params = xllamacpp.CommonParams()
        params.model.path = str(file)
        params.model_alias = {MODEL}
        params.n_ctx, params.n_parallel, params.n_predict = 8192, 4, 64
        params.hostnames, params.port = ["127.0.0.1"], 0
        params.verbosity = 0
        # Its threads spin while they wait for each other: on busy cores several are slower than one.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        server = xllamacpp.Server(params)
        yield server.listening_address
        del server


@contextmanager
def litellm_proxy(upstream: str, key: str) -> Iterator[str]:
    """Serve LiteLLM's proxy in front of an OpenAI-compatible server; yield its root URL.

    The environment is made by the first run, under `build/litellm`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    routes = [{"model_name": MODEL, "litellm_params": _route(upstream)}]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(yaml.safe_dump({"model_list": routes}), encoding="utf-8")
        command = [str(_proxy_program()), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        # The table of prices that comes with the package, not the one on the network.
        env = {**os.environ, "LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_until_answered(f"http://127.0.0.1:{port}/health/liveliness", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _route(upstream: str) -> dict[str, str]:
    return {"model": f"openai/{MODEL}", "api_base": f"{upstream}/v1", "api_key": "none"}


def _proxy_program() -> Path:
    """Return LiteLLM's program, installed if it is not yet."""
    environment = Path("build/litellm").resolve()
    program = environment / ("Scripts" if os.name == "nt" else "bin") / "litellm"
    if not program.exists():
        shutil.rmtree(environment, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        python = program.with_name("python")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PROXY_PACKAGE], check=True)
    return program


def _wait_until_answered(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"LiteLLM's proxy ended with exit code {process.returncode}")
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"LiteLLM's proxy does not answer after {PATIENCE:g} s")


@contextmanager
def gateway(upstream: str, headers: dict[str, str]) -> Iterator[str]:
    """Serve the gateway in front of a server; yield its root URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    app = create_gateway(upstream, MODEL, headers)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def llama_behind_gateway() -> Iterator[str]:
    """Serve llama.cpp with the gateway in front."""
    with llama_cpp() as upstream, gateway(upstream, {}) as url:
        yield url


@contextmanager
def litellm_behind_gateway() -> Iterator[str]:
    """Serve llama.cpp with LiteLLM's proxy and the gateway in front."""
    key = f"sk-{secrets.token_hex(24)}"
    headers = {"authorization": f"Bearer {key}"}
    with llama_cpp() as upstream, litellm_proxy(upstream, key) as proxy, gateway(proxy, headers) as url:
        yield url


#: What `verify` is run against, by name.
SERVERS = {"llama.cpp": llama_behind_gateway, "LiteLLM": litellm_behind_gateway}
