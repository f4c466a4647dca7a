"""The control interface of the mock, at `/__mock__/`: its journal and its state. It is not part of the served API.

`gateway` serves it. A server imports that when it is first asked, because it starts faster without.
"""

PREFIX = "/__mock__/"
#: The path of everything that is served, in the scope that the next part of the path names.
SCOPED = PREFIX + "scope/"
HEALTH = PREFIX + "health"
READY = PREFIX + "ready"
