"""transformers' Qwen2, eager, random bf16 weights in the 0.5B shape: tokens a second of one sequence at depth 512."""
import json, time, torch
from transformers import Qwen2Config, Qwen2ForCausalLM
torch.set_grad_enabled(False); torch.manual_seed(0)
config = Qwen2Config(vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
                     num_key_value_heads=2, max_position_embeddings=32768, rope_theta=1e6, rms_norm_eps=1e-6, tie_word_embeddings=True)
with torch.device("cuda"):
    model = Qwen2ForCausalLM(config).to(torch.bfloat16).eval()
rates = []
for run in range(3):
    ids = torch.randint(0, 151000, (1, 512), device="cuda")
    out = model(ids, use_cache=True); past, token = out.past_key_values, out.logits[:, -1:].argmax(-1)
    torch.cuda.synchronize(); t = time.perf_counter()
    for _ in range(64):
        out = model(token, past_key_values=past, use_cache=True); past, token = out.past_key_values, out.logits[:, -1:].argmax(-1)
    torch.cuda.synchronize(); rates.append(64 / (time.perf_counter() - t))
print(json.dumps({"transformers_eager": round(sorted(rates)[1], 1)}))
