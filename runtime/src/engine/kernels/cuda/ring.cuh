// The stream of weights into a block's shared memory. One warp fills the slots with bulk copies as fast as memory gives,
// stages ahead of the warps that compute: waiting for other blocks does not stop it.
#pragma once
#include "exchange.cuh"

__device__ inline uint32_t shared_address(const void* at) { return (uint32_t)__cvta_generic_to_shared(at); }

__device__ inline void barrier_init(uint64_t* barrier, uint32_t count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(count));
}
__device__ inline void barrier_arrive(uint64_t* barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
__device__ inline void barrier_expect(uint64_t* barrier, uint32_t bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes) : "memory");
}
__device__ inline void barrier_wait(uint64_t* barrier, uint32_t parity) {
    uint32_t done = 0;
    Patience patience;
    while (!done) {
        asm volatile(
            "{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p; }"
            : "=r"(done) : "r"(shared_address(barrier)), "r"(parity) : "memory");
        if (!done) patience.wait();
    }
}
__device__ inline void bulk_copy(void* to, const void* from, uint32_t bytes, uint64_t* barrier, uint64_t policy) {
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;"
        ::"r"(shared_address(to)), "l"(from), "r"(bytes), "r"(shared_address(barrier)), "l"(policy) : "memory");
}
// Weights are read once a step: they leave the L2 first, activations and keys stay.
__device__ inline uint64_t read_once_policy() {
    uint64_t policy;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}

// Rows lie 64 bytes further apart than they are long (a multiple of 128): the two rows that a phase of a 16-byte load
// touches are then in different banks.
__host__ __device__ constexpr int stride_of(int row_bytes) { return row_bytes + 64; }

// `W` says how many slots may be in flight. `pace`: clock cycles from one slot's request to the next, for each 1,024 bytes of it,
// while blocks exchange words: a little slower than memory could.
template <class W, int SLOTS, int SLOT_BYTES, int WARPS>
struct Ring {
    uint8_t* slots;
    uint64_t* full;
    uint64_t* empty;
    uint32_t pace;
    int slot = 0;
    uint32_t phase = 0;
    uint32_t issued = 0, last = 0, previous = 0;
    bool paced = true;
#ifdef PROFILE
    long long waited = 0;
#endif

    __device__ void start() {
        for (int i = 0; i < SLOTS; i++) {
            barrier_init(full + i, 1);
            barrier_init(empty + i, WARPS);
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __device__ void advance() {
        if (++slot == SLOTS) {
            slot = 0;
            phase ^= 1;
        }
    }
    __device__ const uint8_t* wait_full() {
#ifdef PROFILE
        const long long before = clock64();
#endif
        barrier_wait(full + slot, phase);
#ifdef PROFILE
        waited += clock64() - before;
#endif
        return slots + slot * SLOT_BYTES;
    }
    // Every computing warp says once for each slot that it is done with it.
    __device__ void release(int lane) {
        __syncwarp();
        if (lane == 0) barrier_arrive(empty + slot);
        advance();
    }
    // Fills slots with `rows` rows, `MOST` to a slot; by one warp, a lane a row.
    template <int MOST>
    __device__ void fill(const void* from, int rows, int row_bytes, uint64_t policy, int lane) {
        static_assert(MOST <= 32, "a lane a row");
        const uint8_t* source = (const uint8_t*)from;
#pragma unroll 1
        for (int row = 0; row < rows; row += MOST) {
            const int count = min(MOST, rows - row);
            barrier_wait(empty + slot, phase ^ 1);
            if (issued++ >= W::WINDOW) {
                const int before = slot - (paced ? W::PACED_WINDOW : W::WINDOW);
                barrier_wait(full + (before < 0 ? before + SLOTS : before), before < 0 ? phase ^ 1 : phase);
            }
            if (paced) {
                while ((uint32_t)clock64() - last < previous * pace >> 10) {}
                last = (uint32_t)clock64();
                previous = count * row_bytes;
            }
            if (lane == 0) barrier_expect(full + slot, count * row_bytes);
            __syncwarp();
            if (lane < count) {
                bulk_copy(slots + slot * SLOT_BYTES + lane * stride_of(row_bytes), source + (size_t)(row + lane) * row_bytes,
                          row_bytes, full + slot, policy);
            }
            advance();
        }
    }
};
