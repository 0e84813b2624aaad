"""Makes the random models beside it and their goldens: `python tests/data/random_models.py` (torch, transformers).

Weights are exact in bf16. A seed is taken only if every greedy step has a margin of 0.02, so that f32 engines agree.
"""

import json
from pathlib import Path

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

HERE = Path(__file__).parent
COMMON = dict(vocab_size=320, num_hidden_layers=2, max_position_embeddings=256, rms_norm_eps=1e-6, eos_token_id=257, bos_token_id=None)
MODELS = {
    # An untied head, three queries to a key, and heads of another width than a power of two.
    "tiny-random-qwen2-untied": (Qwen2ForCausalLM, Qwen2Config(
        **COMMON, hidden_size=60, intermediate_size=96, num_attention_heads=6, num_key_value_heads=2, rope_theta=10000.0, tie_word_embeddings=False)),
    # Heads that together are wider than the hidden size, as Qwen3-0.6B's.
    "tiny-random-qwen3": (Qwen3ForCausalLM, Qwen3Config(
        **COMMON, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, head_dim=32, rope_theta=1e6, tie_word_embeddings=True)),
    "tiny-random-qwen3-untied": (Qwen3ForCausalLM, Qwen3Config(
        **COMMON, hidden_size=64, intermediate_size=64, num_attention_heads=3, num_key_value_heads=1, head_dim=16, rope_theta=1e6, tie_word_embeddings=False)),
}
PROMPTS = [[5], [1, 2, 3, 4, 5, 6, 7], [(i * 53 + 11) % 320 for i in range(40)]]
GREEDY, MARGIN = 12, 0.02


def randomize(model: torch.nn.Module, seed: int) -> None:
    """Fills every parameter, norms near 1 and biases too, with bf16 numbers."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        value = 1 + 0.3 * noise if "norm" in name else 0.15 * noise if p.ndim == 2 else 0.3 * noise
        p.data = value.to(torch.bfloat16).float()
    model.tie_weights()


@torch.no_grad()
def case(model: torch.nn.Module, prompt: list[int], hidden: bool) -> dict | None:
    """Logits after the prompt and greedy tokens; None where two tokens are too near to each other."""
    out = model(torch.tensor([prompt]), output_hidden_states=True)
    golden = {"tokens": prompt, "logits": out.logits[0, -1].tolist()}
    if hidden:
        golden["hidden_states"] = [h[0, -1].tolist() for h in out.hidden_states]
    tokens, greedy = list(prompt), []
    for _ in range(GREEDY):
        top = model(torch.tensor([tokens])).logits[0, -1].topk(2)
        if float(top.values[0] - top.values[1]) < MARGIN:
            return None
        greedy.append(int(top.indices[0]))
        tokens.append(greedy[-1])
    return golden | {"greedy": greedy}


def main() -> None:
    for name, (kind, config) in MODELS.items():
        model = kind(config).float().eval()
        for seed in range(1000):
            randomize(model, seed)
            cases = [case(model, prompt, index == 1) for index, prompt in enumerate(PROMPTS)]
            if all(cases):
                break
        else:
            raise SystemExit(f"{name}: no seed has the margin")
        folder = HERE / name
        model.to(torch.bfloat16).save_pretrained(folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        (folder / "goldens.json").write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")
        print(name, "seed", seed, [c["greedy"][:4] for c in cases])


main()
