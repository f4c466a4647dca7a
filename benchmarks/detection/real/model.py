"""Makes a model that llama.cpp loads: a second of work, 600 kB, random weights. It answers with gibberish."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np

EMBEDDING, BLOCKS, HEADS, CONTEXT = 64, 2, 4, 2048
#: Stems and endings of the vocabulary's whole words; everything else is spelled in bytes.
STEMS = ("sea", "stone", "light", "river", "tree", "wind", "house", "garden", "morning", "road", "bird", "winter")
ENDINGS = ("", "s", "ed", "ing", "er", "ly", "less", "ful", "y", "en", "ish", "like", "ward", "time", "side", "way")
#: Writes each message with its role, and asks for the assistant's.
TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def write_model(path: Path, seed: int = 0) -> None:
    """Write the model to a GGUF file; the same seed gives the same weights."""
    pieces = list(_vocabulary())
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(2 * EMBEDDING)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_vocab_size(len(pieces))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([piece for piece, _, _ in pieces])
    writer.add_token_scores([score for _, score, _ in pieces])
    writer.add_token_types([kind for _, _, kind in pieces])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in _tensors(len(pieces), seed):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary() -> Iterator[tuple[bytes, float, int]]:
    yield b"<unk>", 0.0, int(gguf.TokenType.UNKNOWN)
    yield b"<s>", 0.0, int(gguf.TokenType.CONTROL)
    yield b"</s>", 0.0, int(gguf.TokenType.CONTROL)
    for byte in range(256):
        yield f"<0x{byte:02X}>".encode(), 0.0, int(gguf.TokenType.BYTE)
    for number, word in enumerate(stem + ending for stem in STEMS for ending in ENDINGS):
        yield f"▁{word}".encode(), -float(number), int(gguf.TokenType.NORMAL)


def _tensors(vocabulary: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    ones = np.ones(EMBEDDING, dtype=np.float32)
    yield "token_embd.weight", weights(vocabulary, EMBEDDING)
    for block in range(BLOCKS):
        yield f"blk.{block}.attn_norm.weight", ones
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{block}.{name}.weight", weights(EMBEDDING, EMBEDDING)
        yield f"blk.{block}.ffn_norm.weight", ones
        yield f"blk.{block}.ffn_gate.weight", weights(2 * EMBEDDING, EMBEDDING)
        yield f"blk.{block}.ffn_up.weight", weights(2 * EMBEDDING, EMBEDDING)
        yield f"blk.{block}.ffn_down.weight", weights(EMBEDDING, 2 * EMBEDDING)
    yield "output_norm.weight", ones
    yield "output.weight", weights(vocabulary, EMBEDDING)
