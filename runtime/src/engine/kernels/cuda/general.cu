// Qwen2's steps between the matrix products, for any shape and any number of tokens: prefill, batches, and decoding on
// devices or shapes without a kernel of their own. Plain: the products around them are cuBLAS's and take the time.
#include <cuda_bf16.h>
#include <cstdint>

constexpr int THREADS = 128;
constexpr int BLOCK = 16;
// Query heads of one key head that a block works on, and positions at a time.
constexpr int HEADS_AT_ONCE = 8;
constexpr int TILE = THREADS;
constexpr int MOST_HEAD_DIM = 256;
// The position of a place in a batch that has no sequence.
constexpr uint32_t NO_POSITION = ~0u;

// `out[token] = embedding[tokens[token]]`; a block a token.
extern "C" __global__ void embed(const uint32_t* tokens, const __nv_bfloat16* embedding, float* out, int width) {
    const __nv_bfloat16* row = embedding + (size_t)tokens[blockIdx.x] * width;
    for (int i = threadIdx.x; i < width; i += blockDim.x) out[(size_t)blockIdx.x * width + i] = __bfloat162float(row[i]);
}

__device__ float block_sum(float value) {
    __shared__ float sums[THREADS / 32];
    for (int i = 16; i > 0; i /= 2) value += __shfl_xor_sync(~0u, value, i);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
    __syncthreads();
    float all = 0;
    for (int i = 0; i < THREADS / 32; i++) all += sums[i];
    return all;
}

// RMSNorm of the rows that `rows` lists, of all in order without it; a block a row. The width is a multiple of 4.
extern "C" __global__ void __launch_bounds__(THREADS) rms_norm(const float* x, const uint32_t* rows, const float* weight,
                                                               __nv_bfloat16* out, int width, float epsilon) {
    // So much of a row is read once.
    constexpr int HELD = 4;
    const float4* row = (const float4*)(x + (size_t)(rows ? rows[blockIdx.x] : blockIdx.x) * width);
    const int count = width / 4;
    float4 held[HELD];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        const int at = threadIdx.x + i * THREADS;
        held[i] = at < count ? row[at] : make_float4(0, 0, 0, 0);
        sum += held[i].x * held[i].x + held[i].y * held[i].y + (held[i].z * held[i].z + held[i].w * held[i].w);
    }
    for (int at = threadIdx.x + HELD * THREADS; at < count; at += THREADS) {
        const float4 v = row[at];
        sum += v.x * v.x + v.y * v.y + (v.z * v.z + v.w * v.w);
    }
    const float factor = rsqrtf(block_sum(sum) / width + epsilon);
    const auto put = [&](int at, float4 v) {
        const float4 w = ((const float4*)weight)[at];
        __nv_bfloat162 pairs[2] = {__floats2bfloat162_rn(v.x * factor * w.x, v.y * factor * w.y),
                                   __floats2bfloat162_rn(v.z * factor * w.z, v.w * factor * w.w)};
        *(uint2*)(out + (size_t)blockIdx.x * width + at * 4) = *(const uint2*)pairs;
    };
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        const int at = threadIdx.x + i * THREADS;
        if (at < count) put(at, held[i]);
    }
    for (int at = threadIdx.x + HELD * THREADS; at < count; at += THREADS) put(at, row[at]);
}

// Adds the bias to a token's queries, keys and values, turns queries and keys by the position, leaves the queries where
// they are and stores the others in the cache. A block a token and THREADS pairs of its values.
extern "C" __global__ void turn_and_store(float* qkv, const float* bias, const float2* rotary, const uint32_t* positions,
                                          const uint32_t* sequences, const uint32_t* tables, __nv_bfloat16* keys,
                                          __nv_bfloat16* values, const uint32_t* table_length, int heads, int kv_heads,
                                          int head_dim) {
    const int half = head_dim / 2, width = (heads + 2 * kv_heads) * head_dim;
    float* own = qkv + (size_t)blockIdx.x * width;
    const uint32_t position = positions[blockIdx.x];
    if (position == NO_POSITION) return;
    const uint32_t block = tables[(size_t)sequences[blockIdx.x] * *table_length + position / BLOCK];
    const int i = blockIdx.y * THREADS + threadIdx.x;
    if (i < (heads + 2 * kv_heads) * half) {
        const int head = i / half, pair = i % half, at = head * head_dim + pair;
        float a = own[at] + bias[at], b = own[at + half] + bias[at + half];
        if (head < heads + kv_heads) {
            const float2 turn = rotary[(size_t)position * half + pair];
            const float turned = a * turn.x - b * turn.y;
            b = b * turn.x + a * turn.y;
            a = turned;
        }
        if (head < heads) {
            own[at] = a;
            own[at + half] = b;
            return;
        }
        const bool is_key = head < heads + kv_heads;
        const int kv_head = head - heads - (is_key ? 0 : kv_heads);
        __nv_bfloat16* to = (is_key ? keys : values) + (((size_t)block * kv_heads + kv_head) * BLOCK + position % BLOCK) * head_dim;
        to[pair] = __float2bfloat16(a);
        to[pair + half] = __float2bfloat16(b);
    }
}

// Causal attention of a token's query heads over its sequence's cache. A block a token, key head and 8 of its query heads.
extern "C" __global__ void __launch_bounds__(THREADS) attend(const float* qkv, const uint32_t* positions,
                                                             const uint32_t* sequences, const uint32_t* tables,
                                                             const __nv_bfloat16* keys, const __nv_bfloat16* values,
                                                             __nv_bfloat16* out, const uint32_t* table_length, int heads,
                                                             int kv_heads, int head_dim) {
    __shared__ float queries[HEADS_AT_ONCE * MOST_HEAD_DIM];
    __shared__ float weights[HEADS_AT_ONCE][TILE];
    __shared__ float highest[HEADS_AT_ONCE], total[HEADS_AT_ONCE], shrink[HEADS_AT_ONCE];
    __shared__ uint32_t rows[TILE];
    const int token = blockIdx.x, kv_head = blockIdx.y, group = heads / kv_heads, first = blockIdx.z * HEADS_AT_ONCE;
    const int count = min(HEADS_AT_ONCE, group - first), head = kv_head * group + first;
    if (positions[token] == NO_POSITION) return;
    const int length = positions[token] + 1, width = (heads + 2 * kv_heads) * head_dim;
    const uint32_t* table = tables + (size_t)sequences[token] * *table_length;
    const float scale = rsqrtf((float)head_dim);
    for (int i = threadIdx.x; i < count * head_dim; i += THREADS)
        queries[i] = qkv[(size_t)token * width + head * head_dim + i] * scale;
    if (threadIdx.x < HEADS_AT_ONCE) {
        highest[threadIdx.x] = -1e30f;
        total[threadIdx.x] = 0;
    }
    constexpr int OWN = HEADS_AT_ONCE * MOST_HEAD_DIM / THREADS;
    float sums[OWN];
#pragma unroll
    for (int i = 0; i < OWN; i++) sums[i] = 0;
    __syncthreads();
    for (int start = 0; start < length; start += TILE) {
        const int position = start + threadIdx.x, tile = min(TILE, length - start);
        if (position < length) {
            const uint32_t row = (table[position / BLOCK] * kv_heads + kv_head) * BLOCK + position % BLOCK;
            rows[threadIdx.x] = row;
            const __nv_bfloat162* key = (const __nv_bfloat162*)(keys + (size_t)row * head_dim);
            float scores[HEADS_AT_ONCE] = {0, 0, 0, 0, 0, 0, 0, 0};
            for (int i = 0; i < head_dim / 2; i++) {
                const float2 k = __bfloat1622float2(key[i]);
#pragma unroll
                for (int h = 0; h < HEADS_AT_ONCE; h++) {
                    if (h < count) scores[h] += queries[h * head_dim + i * 2] * k.x + queries[h * head_dim + i * 2 + 1] * k.y;
                }
            }
#pragma unroll
            for (int h = 0; h < HEADS_AT_ONCE; h++) weights[h][threadIdx.x] = scores[h];
        }
        __syncthreads();
        // A warp a head, in turn.
        for (int h = threadIdx.x / 32; h < count; h += THREADS / 32) {
            const int lane = threadIdx.x % 32;
            float most = highest[h];
            for (int p = lane; p < tile; p += 32) most = fmaxf(most, weights[h][p]);
            for (int i = 16; i > 0; i /= 2) most = fmaxf(most, __shfl_xor_sync(~0u, most, i));
            float sum = 0;
            for (int p = lane; p < tile; p += 32) sum += weights[h][p] = expf(weights[h][p] - most);
            for (int i = 16; i > 0; i /= 2) sum += __shfl_xor_sync(~0u, sum, i);
            __syncwarp();
            if (lane == 0) {
                shrink[h] = expf(highest[h] - most);
                total[h] = total[h] * shrink[h] + sum;
                highest[h] = most;
            }
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < OWN; i++) {
            const int at = threadIdx.x + i * THREADS;
            if (at >= count * head_dim) break;
            const int h = at / head_dim, dim = at % head_dim;
            float sum = sums[i] * shrink[h];
            for (int p = 0; p < tile; p++) sum += weights[h][p] * __bfloat162float(values[(size_t)rows[p] * head_dim + dim]);
            sums[i] = sum;
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < OWN; i++) {
        const int at = threadIdx.x + i * THREADS;
        if (at < count * head_dim)
            out[((size_t)token * heads + head) * head_dim + at] = __float2bfloat16(sums[i] / total[at / head_dim]);
    }
}

__device__ inline float gated(float gate, float up) { return gate / (1 + __expf(-gate)) * up; }

// `silu(gate) * up` of pairs that lie side by side; a thread four of them, of which there is a multiple.
extern "C" __global__ void swiglu(const float* gate_up, __nv_bfloat16* out, long long count) {
    const long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4;
    if (i >= count) return;
    const float4 a = *(const float4*)(gate_up + 2 * i), b = *(const float4*)(gate_up + 2 * i + 4);
    __nv_bfloat162 pairs[2] = {__floats2bfloat162_rn(gated(a.x, a.y), gated(a.z, a.w)),
                               __floats2bfloat162_rn(gated(b.x, b.y), gated(b.z, b.w))};
    *(uint2*)(out + i) = *(const uint2*)pairs;
}
