"""The mock as an httpx transport, for sync and async clients, without a port."""

from __future__ import annotations

from agent_contract.installation import missing

try:
    import httpx
except ImportError as error:
    raise ImportError(missing(error, "mockserver.MockTransport", "httpx"), name="httpx") from error

from agent_contract.messages import Reply
from mockserver.adapters.client_transport import ClientTimeout, EngineTransport, EventBody


class _Stream(EventBody, httpx.SyncByteStream, httpx.AsyncByteStream):
    pass


class MockTransport(EngineTransport[httpx.Request, httpx.Response], httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers every request with an engine, for any host: `httpx.Client(transport=MockTransport())`.

    It applies the delays of the mock and the read timeout of the client: a reply or an event that is slower than the
    timeout raises `httpx.ReadTimeout`. With a `scope`, every request is in that scope.
    """

    request_class = httpx.Request
    instead = "mockserver.Httpx2Transport, or agent_mock.httpx2_transport"
    read_timeout = httpx.ReadTimeout
    read_error = httpx.ReadError
    protocol_error = httpx.RemoteProtocolError
    connect_error = httpx.ConnectError

    def _response(self, reply: Reply, timeout: ClientTimeout) -> httpx.Response:
        if isinstance(reply.body, bytes):
            return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=_Stream(reply, timeout))
