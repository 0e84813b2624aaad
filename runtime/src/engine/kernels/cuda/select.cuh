// Finding the threshold above which elements count or weigh as much as is wanted, by one block and without sorting: three
// histograms over the bits of an order, from the highest on.
#pragma once
#include <cstdint>

// Threads of a block that selects or draws; this agrees with `cuda/sample.rs`.
constexpr int CHOOSERS = 1024;
constexpr int WARPS = CHOOSERS / 32;

// Larger for a larger number.
__device__ inline uint32_t order(float x) {
    const uint32_t bits = __float_as_uint(x);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
__device__ inline float number(uint32_t order) {
    return __uint_as_float(order & 0x80000000u ? order & 0x7fffffffu : ~order);
}

using Sum = unsigned long long;

__device__ Sum warp_total(Sum value) {
    for (int i = 16; i > 0; i /= 2) value += __shfl_xor_sync(~0u, value, i);
    return value;
}

struct Shared {
    // A number in three pieces of 14, 13 and 13 bits: a bin's sums of them have room in 32.
    uint32_t bins[3][2048];
    Sum warps[WARPS];
    uint32_t ties[WARPS];
    uint32_t key;
    Sum left;
    int found;
    uint32_t from, to, tie;
    Sum rest;
};

__device__ Sum block_total(Shared& shared, Sum value) {
    value = warp_total(value);
    __syncthreads();
    if (threadIdx.x % 32 == 0) shared.warps[threadIdx.x / 32] = value;
    __syncthreads();
    Sum all = 0;
    for (int w = 0; w < WARPS; w++) all += shared.warps[w];
    return all;
}

// The largest threshold such that the elements at or above it measure `wanted` or more, and what is still wanted of those
// that equal it; a threshold of 0 and nothing wanted where all of them are too few. `measure` gives 0 for what is out.
template <class Order, class Measure>
__device__ void select(Shared& shared, int count, Sum wanted, Order order_of, Measure measure, uint32_t& key, Sum& left) {
    uint32_t prefix = 0;
    Sum missing = wanted;
    int shift = 21, bits = 11;
#pragma unroll 1
    for (int level = 0; level < 3; level++) {
        for (int i = threadIdx.x; i < 3 * 2048; i += CHOOSERS) (&shared.bins[0][0])[i] = 0;
        if (threadIdx.x == 0) shared.found = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < count; i += CHOOSERS) {
            const Sum m = measure(i);
            if (m == 0) continue;
            const uint32_t o = order_of(i);
            if (level > 0 && o >> (shift + bits) != prefix) continue;
            const uint32_t bin = o >> shift & ((1u << bits) - 1);
            if (m >> 26) atomicAdd(&shared.bins[0][bin], (uint32_t)(m >> 26));
            if (m >> 13 & 8191) atomicAdd(&shared.bins[1][bin], (uint32_t)(m >> 13) & 8191);
            if (m & 8191) atomicAdd(&shared.bins[2][bin], (uint32_t)m & 8191);
        }
        __syncthreads();
        // Two bins a thread, the highest first.
        Sum own[2], both = 0;
        for (int i = 0; i < 2; i++) {
            const int bin = 2047 - 2 * threadIdx.x - i;
            own[i] = ((Sum)shared.bins[0][bin] << 26) + ((Sum)shared.bins[1][bin] << 13) + shared.bins[2][bin];
            both += own[i];
        }
        Sum before = both;
        const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
        for (int i = 1; i < 32; i *= 2) {
            const Sum other = __shfl_up_sync(~0u, before, i);
            if (lane >= i) before += other;
        }
        if (lane == 31) shared.warps[warp] = before;
        __syncthreads();
        before -= both;
        for (int w = 0; w < warp; w++) before += shared.warps[w];
        for (int i = 0; i < 2; i++) {
            if (before < missing && missing <= before + own[i]) {
                shared.key = prefix << bits | (2047 - 2 * threadIdx.x - i);
                shared.left = missing - before;
                shared.found = 1;
            }
            before += own[i];
        }
        __syncthreads();
        if (!shared.found) {
            key = 0, left = 0;
            return;
        }
        prefix = shared.key, missing = shared.left;
        __syncthreads();
        if (level == 0) shift = 10, bits = 11;
        if (level == 1) shift = 0, bits = 10;
    }
    key = prefix, left = missing;
}
