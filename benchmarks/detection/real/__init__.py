"""Real inference servers behind a thin gateway: llama.cpp's own server, and LiteLLM's proxy in front of it."""
