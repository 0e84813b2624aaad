// Causal attention over the paged cache for any number of tokens, on tensor cores: each warp goes through blocks of 16
// positions on its own, keys and values straight from memory in the order that the instructions want. Queries and weights
// are sums of two bf16 numbers, the rounded one and the rest, in the halves of a tile that a group of heads leaves free.
#include <cuda_bf16.h>
#include <cstdint>
#include "tile.cuh"

constexpr int WARPS = 8;
constexpr int THREADS = WARPS * 32;
// Positions of a block of the KV cache.
constexpr int BLOCK = 16;
// Query heads of one key head that a block works on.
constexpr int HEADS = 8;
constexpr float NOTHING = -1e30f;
// The position of a place in a batch that has no sequence.
constexpr uint32_t NO_POSITION = ~0u;

template <int D>
struct Chunk {
    uint4 keys[2][D / 32];
    uint4 values[4][D / 64];
};

// Keys of the positions `lane / 4` and that plus 8, values of the four positions that the lane's weights belong to.
template <int D>
__device__ void load(Chunk<D>& chunk, const __nv_bfloat16* keys, const __nv_bfloat16* values, int left, int lane) {
    const int row = lane / 4, column = lane % 4;
#pragma unroll
    for (int t = 0; t < 2; t++)
#pragma unroll
        for (int h = 0; h < D / 32; h++) chunk.keys[t][h] = *(const uint4*)(keys + (t * 8 + row) * D + h * 32 + column * 8);
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const int position = i / 2 * 8 + column * 2 + i % 2;
#pragma unroll
        for (int h = 0; h < D / 64; h++) {
            chunk.values[i][h] = make_uint4(0, 0, 0, 0);
            // What lies beyond the newest position is another sequence's leftover: no weight makes an infinity 0.
            if (position < left) chunk.values[i][h] = *(const uint4*)(values + position * D + h * 64 + row * 8);
        }
    }
}

__device__ inline uint32_t pair(float a, float b) {
    const __nv_bfloat162 both = __floats2bfloat162_rn(a, b);
    return *(const uint32_t*)&both;
}
// What rounding to `rounded` has taken away.
__device__ inline uint32_t rest(float a, float b, uint32_t rounded) { return pair(a - low(rounded), b - high(rounded)); }

__device__ inline uint32_t word(const uint4& four, int i) { return i == 0 ? four.x : i == 1 ? four.y : i == 2 ? four.z : four.w; }

// A block a token, key head with up to 8 of its query heads, and part of the positions. `parts` has for each token, key
// head, group of heads, part and head the highest score, the sum of the weights and the output; the last block to come
// joins them.
template <int D>
__device__ void attend(const float* qkv, const uint32_t* positions, const uint32_t* sequences, const uint32_t* tables,
                       const uint32_t* table_length, const __nv_bfloat16* keys, const __nv_bfloat16* values,
                       __nv_bfloat16* out, float* parts, uint32_t* arrived, int heads, int kv_heads, int splits) {
    __shared__ float outputs[WARPS][HEADS][D];
    __shared__ float2 weights[WARPS][HEADS];
    __shared__ bool is_last;
    const int token = blockIdx.x, kv_head = blockIdx.y, group = heads / kv_heads;
    const int split = blockIdx.z % splits, first = blockIdx.z / splits * HEADS;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, row = lane / 4, column = lane % 4;
    const uint32_t position = positions[token];
    if (position == NO_POSITION) return;
    const int count = min(HEADS, group - first), head = kv_head * group + first;
    const int length = position + 1, blocks = (length + BLOCK - 1) / BLOCK, share = (blocks + splits - 1) / splits;
    const int to = min((split + 1) * share, blocks);
    const uint32_t* table = tables + (size_t)sequences[token] * *table_length;

    uint32_t queries[D / 16][4];
    const float* query = qkv + (size_t)token * (heads + 2 * kv_heads) * D + (head + row) * D;
    // Powers of 2 in place of those of e.
    const float scale = rsqrtf((float)D) * 1.44269504f;
#pragma unroll
    for (int s = 0; s < D / 16; s++) {
        float4 x = make_float4(0, 0, 0, 0);
        if (row < count) x = *(const float4*)(query + s / 2 * 32 + column * 8 + s % 2 * 4);
        x.x *= scale, x.y *= scale, x.z *= scale, x.w *= scale;
        queries[s][0] = pair(x.x, x.y);
        queries[s][1] = rest(x.x, x.y, queries[s][0]);
        queries[s][2] = pair(x.z, x.w);
        queries[s][3] = rest(x.z, x.w, queries[s][2]);
    }

    float sums[D / 8][4], most = NOTHING, total = 0;
#pragma unroll
    for (int i = 0; i < D / 8; i++) sums[i][0] = sums[i][1] = sums[i][2] = sums[i][3] = 0;
    Chunk<D> chunk, next;
    // The warp's next blocks by their numbers, one a lane, so that keys and values need not wait for them.
    const int begin = split * share + warp;
    uint32_t numbers = table[min(begin + lane * WARPS, blocks - 1)];
    const auto fetch = [&](Chunk<D>& into, int i) {
        const size_t at = ((size_t)__shfl_sync(~0u, numbers, i % 32) * kv_heads + kv_head) * BLOCK * D;
        load<D>(into, keys + at, values + at, length - (begin + i * WARPS) * BLOCK, lane);
    };
    if (begin < to) fetch(chunk, 0);
#pragma unroll 1
    for (int i = 0, block = begin; block < to; block += WARPS, i++) {
        if (i % 32 == 31) numbers = table[min(block + WARPS + lane * WARPS, blocks - 1)];
        if (block + WARPS < to) fetch(next, i + 1);
        float scores[4];
#pragma unroll
        for (int t = 0; t < 2; t++) {
            float products[4] = {0, 0, 0, 0};
#pragma unroll
            for (int s = 0; s < D / 16; s++) {
                const uint4& key = chunk.keys[t][s / 2];
                mma(products, queries[s][0], queries[s][1], queries[s][2], queries[s][3], s % 2 ? key.z : key.x,
                    s % 2 ? key.w : key.y);
            }
            const int p = block * BLOCK + t * 8 + column * 2;
            scores[t * 2] = p < length ? products[0] + products[2] : NOTHING;
            scores[t * 2 + 1] = p + 1 < length ? products[1] + products[3] : NOTHING;
        }
        float highest = fmaxf(fmaxf(scores[0], scores[1]), fmaxf(scores[2], scores[3]));
        highest = fmaxf(highest, __shfl_xor_sync(~0u, highest, 1));
        highest = fmaxf(fmaxf(highest, __shfl_xor_sync(~0u, highest, 2)), most);
        const float shrink = exp2f(most - highest);
        most = highest;
#pragma unroll
        for (int i = 0; i < 4; i++) scores[i] = exp2f(scores[i] - most);
        total = total * shrink + (scores[0] + scores[1] + (scores[2] + scores[3]));
        const uint32_t a0 = pair(scores[0], scores[1]), a2 = pair(scores[2], scores[3]);
        const uint32_t a1 = rest(scores[0], scores[1], a0), a3 = rest(scores[2], scores[3], a2);
#pragma unroll
        for (int i = 0; i < D / 8; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) sums[i][j] *= shrink;
            const int h = i / 8, w = i % 8 / 2;
            const uint32_t half = i % 2 ? 0x7632 : 0x5410;
            mma(sums[i], a0, a1, a2, a3, __byte_perm(word(chunk.values[0][h], w), word(chunk.values[1][h], w), half),
                __byte_perm(word(chunk.values[2][h], w), word(chunk.values[3][h], w), half));
        }
        chunk = next;
    }
    total += __shfl_xor_sync(~0u, total, 1);
    total += __shfl_xor_sync(~0u, total, 2);
#pragma unroll
    for (int i = 0; i < D / 8; i++) {
        float* to = outputs[warp][row] + i / 8 * 64 + column * 16 + i % 8;
        to[0] = sums[i][0] + sums[i][2];
        to[8] = sums[i][1] + sums[i][3];
    }
    if (column == 0) weights[warp][row] = make_float2(most, total);
    __syncthreads();

    const size_t place = ((size_t)token * kv_heads + kv_head) * ((group + HEADS - 1) / HEADS) + first / HEADS;
    constexpr int PART = HEADS * (D + 2);
    float* part = parts + (place * splits + split) * PART;
    for (int i = threadIdx.x; i < count * D; i += THREADS) {
        const int h = i / D;
        float highest = NOTHING, sum = 0, value = 0;
#pragma unroll
        for (int w = 0; w < WARPS; w++) highest = fmaxf(highest, weights[w][h].x);
#pragma unroll
        for (int w = 0; w < WARPS; w++) {
            const float factor = exp2f(weights[w][h].x - highest);
            sum += weights[w][h].y * factor;
            value += outputs[w][h][i % D] * factor;
        }
        if (splits == 1) {
            out[((size_t)token * heads + head) * D + i] = __float2bfloat16(value / sum);
        } else {
            part[HEADS * 2 + i] = value;
            if (i % D == 0) part[h * 2] = highest, part[h * 2 + 1] = sum;
        }
    }
    if (splits == 1) return;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        is_last = atomicAdd(arrived + place, 1) + 1 == splits;
        if (is_last) arrived[place] = 0;
    }
    __syncthreads();
    if (!is_last) return;
    __threadfence();
    const float* all = parts + place * splits * PART;
    for (int i = threadIdx.x; i < count * D; i += THREADS) {
        const int h = i / D;
        float highest = NOTHING, sum = 0, value = 0;
        for (int s = 0; s < splits; s++) highest = fmaxf(highest, __ldcg(all + s * PART + h * 2));
        for (int s = 0; s < splits; s++) {
            const float factor = exp2f(__ldcg(all + s * PART + h * 2) - highest);
            sum += __ldcg(all + s * PART + h * 2 + 1) * factor;
            value += __ldcg(all + s * PART + HEADS * 2 + i) * factor;
        }
        out[((size_t)token * heads + head) * D + i] = __float2bfloat16(value / sum);
    }
}

#define ATTEND(D, AT_ONCE)                                                                                               \
    extern "C" __global__ void __launch_bounds__(THREADS, AT_ONCE) attend_##D(                                                    \
        const float* qkv, const uint32_t* positions, const uint32_t* sequences, const uint32_t* tables,                  \
        const uint32_t* table_length, const __nv_bfloat16* keys, const __nv_bfloat16* values, __nv_bfloat16* out,        \
        float* parts, uint32_t* arrived, int heads, int kv_heads, int splits) {                                          \
        attend<D>(qkv, positions, sequences, tables, table_length, keys, values, out, parts, arrived, heads, kv_heads, splits); \
    }

// As many blocks to a multiprocessor as registers allow.
ATTEND(64, 2)
ATTEND(128, 1)
