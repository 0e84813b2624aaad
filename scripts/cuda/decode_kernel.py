"""Checks and times decode.cu alone, without Rust: random weights in the 0.5B shape, an f32 torch forward as reference.

    nvcc -arch=sm_90 -O3 -std=c++17 -cubin -o decode.cubin runtime/src/engine/kernels/cuda/decode.cu
    python3 scripts/cuda/decode_kernel.py decode.cubin [decode_profile.cubin, built with -DPROFILE]

For weights of 16 bits, then of 8: prints the error of the logits, the greedy tokens that differ with the reference's margin there, tokens a second of a
captured graph and without one, the copy bandwidth, and with the second file where the microseconds of a step go."""
import ctypes as C, sys, time, torch
import torch.nn.functional as F
torch.set_grad_enabled(False); torch.manual_seed(0)
D, I, L, H, K, V, HD = 896, 4864, 24, 14, 2, 151936, 64
dev, bf = "cuda", torch.bfloat16
SPLITS, PART, RING, THREADS, BLOCK = 9, HD + 2, 174 * 1024, 544, 16
PACE = {16: 120, 8: 200}  # what `cuda/step.rs` gives an H100
QKV = (H + 2 * K) * HD
WORDS = QKV + H * SPLITS * PART + D + I // 2 + D
cu = C.CDLL("libcuda.so.1")
def ok(rc, what):
    if rc: sys.exit(f"{what}: CUDA error {rc}")
class Step(C.Structure):
    _fields_ = [(n, C.c_void_p) for n in "layers memory embedding head head_scales norm rotary table state words logits tokens".split()] + \
        [("most_tokens", C.c_uint32), ("layer_count", C.c_int), ("vocabulary", C.c_int), ("epsilon", C.c_float), ("pace", C.c_uint32), ("unused", C.c_uint32)]
r = lambda *s, scale=0.02: (torch.randn(*s, device=dev) * scale).to(bf)
E = r(V, D)
W = [dict(qkv=r(QKV, D), b=r(QKV).float(), o=r(D, H * HD), gu=r(2 * I, D), d=r(D, I), n1=1 + 0.1 * torch.randn(D, device=dev), n2=1 + 0.1 * torch.randn(D, device=dev)) for _ in range(L)]
nf = 1 + 0.1 * torch.randn(D, device=dev)
MOST = 4096
angle = torch.arange(MOST, device=dev).double()[:, None] / (1e6 ** (torch.arange(0, HD, 2, device=dev).double() / HD))[None]
rotary = torch.stack([angle.cos(), angle.sin()], -1).float().contiguous()

def reference(tokens, weight=lambda w: w.float(), dt=torch.float32):
    """Logits [n, V] after each token, and the keys and values [L, n, K, HD] of an f32 forward."""
    n = len(tokens); x = E[tokens].to(dt); ks, vs = [], []
    c, s = (torch.cat([rotary[:n, :, i]] * 2, -1)[:, None].to(dt) for i in (0, 1))
    rot = lambda t: torch.cat([-t[..., HD // 2:], t[..., :HD // 2]], -1)
    for w in W:
        h = F.rms_norm(x, (D,), w["n1"].to(dt), 1e-6)
        q, k, v = F.linear(h, weight(w["qkv"]), w["b"].to(dt)).view(n, -1, HD).split([H, K, K], 1)
        q, k = q * c + rot(q) * s, k * c + rot(k) * s
        ks.append(k); vs.append(v)
        a = F.scaled_dot_product_attention(*(t.transpose(0, 1)[None] for t in (q, k, v)), is_causal=True, enable_gqa=True)[0]
        x = x + F.linear(a.transpose(0, 1).reshape(n, -1), weight(w["o"]))
        g, u = F.linear(F.rms_norm(x, (D,), w["n2"].to(dt), 1e-6), weight(w["gu"])).chunk(2, -1)
        x = x + F.linear(F.silu(g) * u, weight(w["d"]))
    return F.linear(F.rms_norm(x, (D,), nf.to(dt), 1e-6), weight(E)), torch.stack(ks), torch.stack(vs)

def eighths(w):
    """Whole numbers of 8 bits and each row's scale."""
    scale = (w.float().abs().amax(1) / 127).contiguous()
    return (w.float() / scale[:, None]).round().to(torch.int8).contiguous(), scale

class Kernel:
    def __init__(self, path, bits):
        self.bits, slot = bits, 16 * (D * bits // 8 + 64)
        self.smem = RING // slot * slot
        self.module, self.f = C.c_void_p(), C.c_void_p()
        ok(cu.cuModuleLoad(C.byref(self.module), path.encode()), "load")
        ok(cu.cuModuleGetFunction(C.byref(self.f), self.module, b"decode%s_896_4864_14_2_64" % (b"8" if bits == 8 else b"")), "function")
        ok(cu.cuFuncSetAttribute(self.f, 8, self.smem), "shared memory")
        self.grid = torch.cuda.get_device_properties(0).multi_processor_count
        form = eighths if bits == 8 else lambda w: (w, w)
        pairs = lambda w: torch.stack([w[:I], w[I:]], 1).reshape(2 * I, D).contiguous()
        self.keep = [[*form(w["qkv"]), *form(w["o"]), *form(pairs(w["gu"])), *form(w["d"]), w["b"], w["n1"], w["n2"]] for w in W]
        self.head = form(E)
        self.layers = torch.tensor([[t.data_ptr() for t in l] for l in self.keep], device=dev)
        blocks = MOST // BLOCK
        self.table = torch.randperm(blocks, device=dev).int()
        self.k, self.v = (torch.full((L, blocks, K, BLOCK, HD), float("nan"), device=dev, dtype=bf) for _ in "kv")
        self.memory = torch.tensor([[t[l].data_ptr() for t in (self.k, self.v)] for l in range(L)], device=dev)
        self.state = torch.zeros(8, device=dev, dtype=torch.int32); self.state[2] = 1
        self.words = torch.zeros(L * WORDS, device=dev, dtype=torch.int64)
        self.logits = torch.full((V,), float("nan"), device=dev)
        self.tokens = torch.zeros(MOST, device=dev, dtype=torch.int32)
        p = lambda t: t.data_ptr()
        self.step = Step(p(self.layers), p(self.memory), p(E), *map(p, self.head), p(nf), p(rotary), p(self.table), p(self.state), p(self.words), p(self.logits), p(self.tokens), MOST, L, V, 1e-6, PACE[bits], 0)
    def fill(self, k, v):
        n = k.shape[1]; at = torch.arange(n, device=dev); b = self.table[at // BLOCK].long()
        self.k[:, b, :, at % BLOCK] = k.transpose(0, 1).to(bf); self.v[:, b, :, at % BLOCK] = v.transpose(0, 1).to(bf)
    def start(self, token, position):
        self.state[0], self.state[1], self.state[6] = token, position, 0
    def launch(self):
        params = (C.c_void_p * 1)(C.cast(C.byref(self.step), C.c_void_p))
        ok(cu.cuLaunchCooperativeKernel(self.f, self.grid, 1, 1, THREADS, 1, 1, self.smem, C.c_void_p(torch.cuda.current_stream().cuda_stream), params), "launch")
    def graph(self):
        g = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with torch.cuda.graph(g): self.launch()
        return g

def rate(step, start, n=128, runs=7):
    out = []
    for _ in range(runs):
        start(); torch.cuda.synchronize(); t = time.perf_counter()
        for _ in range(n): step()
        torch.cuda.synchronize(); out.append(n / (time.perf_counter() - t))
    return sorted(out)[runs // 2], min(out), max(out)

def copy_bandwidth():
    a = torch.randn(1 << 29, device=dev); b = torch.empty_like(a); out = []
    for _ in range(12):
        s, e = (torch.cuda.Event(enable_timing=True) for _ in "se")
        s.record(); b.copy_(a); e.record(); torch.cuda.synchronize(); out.append(2 * a.numel() * 4 / s.elapsed_time(e) / 1e6)
    return sorted(out)[len(out) // 2]

QUICK = len(sys.argv) > 3
bandwidth = copy_bandwidth()

def check(kernel):
    # As the kernel has them, in f32.
    def exact(w):
        if kernel.bits == 16: return w.float()
        numbers, scale = eighths(w)
        return numbers.float() * scale[:, None]
    for P, N in ((1, 40), (512, 128), (255, 3), (1500, 20), (3000, 8))[:2 if QUICK else 5]:
        prompt = torch.randint(0, V, (P + 1,), device=dev)
        _, k, v = reference(prompt, exact)
        kernel.k.fill_(float("nan")); kernel.v.fill_(float("nan")); kernel.fill(k[:, :P], v[:, :P])
        kernel.start(prompt[-1], P)
        for _ in range(N): kernel.launch()
        torch.cuda.synchronize()
        chosen = kernel.tokens[:N].long(); logits = kernel.logits.clone()
        full, _, _ = reference(torch.cat([prompt, chosen[:-1]]), exact); full = full[P:]
        worst = full.max(-1); differ = [(i, round((worst.values[i] - full[i, chosen[i]]).item(), 5)) for i in range(N) if worst.indices[i] != chosen[i]]
        error = ((logits - full[-1]).norm() / full[-1].norm()).item()
        print(f"depth {P}+{N}: logits' relative error {error:.2e} (max {(logits - full[-1]).abs().max():.4f} of {full[-1].abs().max():.2f}); argmax differs in {len(differ)} of {N}, (step, margin): {differ[:6]}", flush=True)
        if P == 512:
            plain = chosen.clone(), logits
            kernel.start(prompt[-1], P); g = kernel.graph(); kernel.start(prompt[-1], P)
            for _ in range(N): g.replay()
            torch.cuda.synchronize()
            print("graph equals launches:", torch.equal(kernel.tokens[:N].long(), plain[0]) and torch.equal(kernel.logits, plain[1]), flush=True)
            low, _, _ = reference(torch.cat([prompt, chosen[:-1]]), lambda w: w, bf); low = low[P:].float()
            print(f"torch bf16 forward's own relative error {((low[-1] - full[-1]).norm() / full[-1].norm()).item():.2e}; its argmax differs from f32's in {(low.argmax(-1) != worst.indices).sum().item()} of {N}")
    limit = bandwidth * 1e9 / (494e6 * kernel.bits / 8)
    print(f"{torch.cuda.get_device_name()}: copy {bandwidth:.0f} GB/s, so at most {limit:.0f} tok/s at {494 * kernel.bits // 8} MB a token")
    g = kernel.graph()
    for depth in (512,) if QUICK else (16, 512, 2048):
        kernel.fill(*(torch.randn(L, depth, K, HD, device=dev) for _ in "kv"))
        for name, step in (("graph", g.replay), ("launches", kernel.launch)):
            mid, least, most = rate(step, lambda: kernel.start(5, depth))
            print(f"depth {depth} {name}: {mid:.0f} tok/s ({least:.0f}..{most:.0f}), {1e6 / mid:.1f} us a step, {100 * mid / limit:.1f} % of the limit", flush=True)

def profile(p):
    p.fill(*(torch.randn(L, 512, K, HD, device=dev) for _ in "kv")); p.start(5, 512)
    for _ in range(20): p.launch()
    torch.cuda.synchronize()
    at, size = C.c_uint64(), C.c_size_t(); ok(cu.cuModuleGetGlobal_v2(C.byref(at), C.byref(size), p.module, b"marks"), "marks")
    host = torch.zeros(256, 65, 10, dtype=torch.int64); ok(cu.cuMemcpyDtoH_v2(C.c_void_p(host.data_ptr()), at, size), "copy")
    ok(cu.cuModuleGetGlobal_v2(C.byref(at), C.byref(size), p.module, b"waits"), "waits")
    waits = torch.zeros(256, 65, 10, dtype=torch.int64); ok(cu.cuMemcpyDtoH_v2(C.c_void_p(waits.data_ptr()), at, size), "copy")
    m = host[:p.grid, :L].double(); ghz = 1.98
    names = "take in, qkv, attend, join, output, take in, gate/up, down".split(", ")
    wait = (waits[:p.grid, 1:L, 1:9] - waits[:p.grid, 1:L, 0:8]).double() / ghz / 1e3
    d = (m[:, 1:, 1:9] - m[:, 1:, 0:8]) / ghz / 1e3
    print("us a layer, mean over blocks (blocks with attention | others), at a nominal 1.98 GHz:")
    for i, n in enumerate(names): print(f"  {n:8s} {d[:, :, i].mean():6.2f}  ({d[:42, :, i].mean():.2f} | {d[60:, :, i].mean():.2f}), of which waiting for weights {wait[:, :, i].mean():.2f}")
    print(f"  layer    {((m[:, L - 1, 8] - m[:, 1, 0]) / (L - 1)).mean() / ghz / 1e3:6.2f}")
    e = host[:p.grid, L].double(); print(f"  head     {((e[:, 1] - e[:, 0]).mean()) / ghz / 1e3:6.2f}")

for bits in (16, 8):
    print(f"weights of {bits} bits", flush=True)
    check(Kernel(sys.argv[1], bits))
    if len(sys.argv) > 2: profile(Kernel(sys.argv[2], bits))
