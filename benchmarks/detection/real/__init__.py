"""Real inference servers with a thin gateway in front: llama.cpp's own server, and LiteLLM's proxy before it."""
