// Attention of the decode step: a block has one head and one part of its positions, the output projection joins the parts.
#pragma once
#include "shape.cuh"

// A part of the positions, and its number among those of a head.
struct Positions {
    int from;
    int to;
    int split;
};

struct Keys {
    uint4 keys[ROUNDS];
    uint4 values[ROUNDS];
};

template <class S>
constexpr int LANES = S::HD / 8;
template <class S>
constexpr int PER_ROUND = WARPS * 32 / LANES<S>;

// Keys and values of the positions of some rounds, 8 dimensions a lane. The newest is not in the cache yet.
template <class S>
__device__ void load(Keys& held, const Memory& memory, const uint32_t* table, const int (&blocks)[ROUNDS], bool first,
                     int kv_head, int start, int to, int newest, int warp, int lane) {
#pragma unroll
    for (int r = 0; r < ROUNDS; r++) {
        const int p = start + r * PER_ROUND<S> + warp * (32 / LANES<S>) + lane / LANES<S>;
        held.keys[r] = held.values[r] = make_uint4(0, 0, 0, 0);
        if (p < to && p != newest) {
            const int block = first ? blocks[r] : table[p / BLOCK];
            const uint32_t at = ((block * S::KV_HEADS + kv_head) * BLOCK + p % BLOCK) * (S::HD / 8) + lane % LANES<S>;
            held.keys[r] = ((const uint4*)memory.keys)[at];
            held.values[r] = ((const uint4*)memory.values)[at];
        }
    }
}

// A head's vector of words, two values a lane, turned by the position.
template <class S>
__device__ float2 get_turned(const Shared<S>& shared, const uint64_t* words, uint32_t tag, int lane) {
    const float2 x = get2(words + lane * 2, tag);
    const float2 other = make_float2(__shfl_xor_sync(~0u, x.x, 16), __shfl_xor_sync(~0u, x.y, 16));
    const float2 a = shared.turns[lane * 2 % (S::HD / 2)], b = shared.turns[lane * 2 % (S::HD / 2) + 1];
    const float sign = lane < 16 ? -1 : 1;
    return make_float2(x.x * a.x + sign * other.x * a.y, x.y * b.x + sign * other.y * b.y);
}

// One head over one part of the positions, of which `held` has the first rounds.
template <class S>
__device__ void attend(const Step& step, Shared<S>& shared, const Memory& memory, uint64_t* words, Keys& held,
                       const int (&blocks)[ROUNDS], int head, Positions own, int position, uint32_t tag, int warp, int lane) {
    static_assert(S::HD == 64, "two dimensions a lane");
    constexpr int AT_ONCE = ROUNDS * PER_ROUND<S>;
    const int kv_head = head / S::GROUP, dims = lane % LANES<S> * 8;
    const int offset = position - own.from;
    // The warp that has the newest position takes its key and value from the words, as the cache will hold them.
    if (position < own.to && offset % PER_ROUND<S> / (32 / LANES<S>) == warp) {
        const float2 key = get_turned(shared, words + (S::HEADS + kv_head) * S::HD, tag, lane);
        const float2 value = get2(words + (S::HEADS + S::KV_HEADS + kv_head) * S::HD + lane * 2, tag);
        const __nv_bfloat162 pairs[2] = {__floats2bfloat162_rn(key.x, key.y), __floats2bfloat162_rn(value.x, value.y)};
        ((__nv_bfloat162*)shared.newest[0])[lane] = pairs[0];
        ((__nv_bfloat162*)shared.newest[1])[lane] = pairs[1];
        if (head % S::GROUP == 0) {
            const uint32_t row = (step.table[position / BLOCK] * S::KV_HEADS + kv_head) * BLOCK + position % BLOCK;
            ((__nv_bfloat162*)memory.keys)[row * (S::HD / 2) + lane] = pairs[0];
            ((__nv_bfloat162*)memory.values)[row * (S::HD / 2) + lane] = pairs[1];
        }
    }
    const float2 turned = get_turned(shared, words + head * S::HD, tag, lane);
    const float scale = 0.125f;
    ((float2*)shared.query[warp])[lane] = make_float2(turned.x * scale, turned.y * scale);
    __syncwarp();
    float query[8], output[8] = {0, 0, 0, 0, 0, 0, 0, 0}, most = -1e30f, total = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) query[i] = shared.query[warp][dims + i];
#pragma unroll 1
    for (int first = own.from; first < own.to; first += AT_ONCE) {
        if (first > own.from)
            load<S>(held, memory, step.table, blocks, false, kv_head, first, own.to, position, warp, lane);
        float scores[ROUNDS], highest = most;
#pragma unroll
        for (int r = 0; r < ROUNDS; r++) {
            const int p = first + r * PER_ROUND<S> + warp * (32 / LANES<S>) + lane / LANES<S>;
            if (p == position) {
                held.keys[r] = ((const uint4*)shared.newest[0])[dims / 8];
                held.values[r] = ((const uint4*)shared.newest[1])[dims / 8];
            }
            float score = dot8(held.keys[r], query);
#pragma unroll
            for (int i = 1; i < LANES<S>; i *= 2) score += __shfl_xor_sync(~0u, score, i);
            scores[r] = p < own.to ? score : -1e30f;
            highest = fmaxf(highest, scores[r]);
        }
        const float shrink = __expf(most - highest);
        most = highest;
        total *= shrink;
#pragma unroll
        for (int i = 0; i < 8; i++) output[i] *= shrink;
#pragma unroll
        for (int r = 0; r < ROUNDS; r++) {
            const float weight = scores[r] > -1e29f ? __expf(scores[r] - most) : 0;
            total += weight;
            add8(output, weight, held.values[r]);
        }
    }
#pragma unroll
    for (int i = LANES<S>; i < 32; i *= 2) {
        const float other = __shfl_xor_sync(~0u, most, i), highest = fmaxf(most, other);
        const float mine = __expf(most - highest), theirs = __expf(other - highest);
        total = total * mine + __shfl_xor_sync(~0u, total, i) * theirs;
#pragma unroll
        for (int j = 0; j < 8; j++) output[j] = output[j] * mine + __shfl_xor_sync(~0u, output[j], i) * theirs;
        most = highest;
    }
    if (lane < LANES<S>) {
        ((float4*)shared.outputs[warp])[lane * 2] = make_float4(output[0], output[1], output[2], output[3]);
        ((float4*)shared.outputs[warp])[lane * 2 + 1] = make_float4(output[4], output[5], output[6], output[7]);
        if (lane == 0) shared.weights[warp] = make_float2(most, total);
    }
    sync_computing();
    if (threadIdx.x < S::HD) {
        float highest = -1e30f, sum = 0, value = 0;
#pragma unroll
        for (int w = 0; w < WARPS; w++) highest = fmaxf(highest, shared.weights[w].x);
#pragma unroll
        for (int w = 0; w < WARPS; w++) {
            const float factor = __expf(shared.weights[w].x - highest);
            sum += shared.weights[w].y * factor;
            value += shared.outputs[w][threadIdx.x] * factor;
        }
        uint64_t* to = words + S::AT_ATTENTION + (head * MOST_SPLITS + own.split) * S::PART;
        put(to + 2 + threadIdx.x, value, tag);
        if (threadIdx.x == 0) put(to + 1, sum, tag);
        if (threadIdx.x == 1) put(to, highest, tag);
    }
}

// Joins the parts of the warp's head into its columns of the output projection's input.
template <class S>
__device__ typename S::Operand join(Shared<S>& shared, const uint64_t* words, int splits, uint32_t tag, int warp, int lane) {
    constexpr int AT_ONCE = 3;
    const uint64_t* from = words + S::AT_ATTENTION + warp * MOST_SPLITS * S::PART;
    await(from + (splits - 1) * S::PART, tag);
    float most = -1e30f, total = 0;
    float2 sum = make_float2(0, 0);
#pragma unroll 1
    for (int first = 0; first < splits; first += AT_ONCE) {
        ulonglong2 weights[AT_ONCE], outputs[AT_ONCE];
        Patience patience;
        for (;;) {
            bool all = true;
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                const uint64_t* part = from + min(first + i, splits - 1) * S::PART;
                weights[i] = load_words(part);
                outputs[i] = load_words(part + 2 + lane * 2);
            }
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) all &= is_tagged(weights[i], tag) && is_tagged(outputs[i], tag);
            if (__all_sync(~0u, all)) break;
            patience.wait();
        }
#pragma unroll
        for (int i = 0; i < AT_ONCE; i++) {
            if (first + i >= splits) break;
            const float2 weight = values(weights[i]), value = values(outputs[i]);
            const float highest = fmaxf(most, weight.x);
            const float mine = __expf(most - highest), theirs = __expf(weight.x - highest);
            total = total * mine + weight.y * theirs;
            sum.x = sum.x * mine + value.x * theirs;
            sum.y = sum.y * mine + value.y * theirs;
            most = highest;
        }
    }
    return shared.columns[warp].take(lane, __fdividef(sum.x, total), __fdividef(sum.y, total));
}

