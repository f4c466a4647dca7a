"""The mock as an httpx2 transport, for sync and async clients, without a port.

OpenAI's SDK is built on httpx2 from version 3.
"""

from __future__ import annotations

from agent_contract.installation import missing

try:
    import httpx2
except ImportError as error:
    raise ImportError(missing(error, "mockserver.Httpx2Transport", "httpx2"), name="httpx2") from error

from agent_contract.messages import Reply
from mockserver.adapters.client_transport import ClientTimeout, EngineTransport, EventBody


class _Stream(EventBody, httpx2.SyncByteStream, httpx2.AsyncByteStream):
    pass


class Httpx2Transport(
    EngineTransport[httpx2.Request, httpx2.Response], httpx2.BaseTransport, httpx2.AsyncBaseTransport
):
    """Answers every request with an engine, for any host: `httpx2.Client(transport=Httpx2Transport())`.

    It applies the delays of the mock and the read timeout of the client: a reply or an event that is slower than the
    timeout raises `httpx2.ReadTimeout`. With a `scope`, every request is in that scope.
    """

    request_class = httpx2.Request
    instead = "mockserver.MockTransport, or agent_mock.transport"
    read_timeout = httpx2.ReadTimeout
    read_error = httpx2.ReadError
    protocol_error = httpx2.RemoteProtocolError
    connect_error = httpx2.ConnectError

    def _response(self, reply: Reply, timeout: ClientTimeout) -> httpx2.Response:
        if isinstance(reply.body, bytes):
            return httpx2.Response(reply.status, headers=dict(reply.headers), content=reply.body)
        return httpx2.Response(reply.status, headers=dict(reply.headers), stream=_Stream(reply, timeout))
