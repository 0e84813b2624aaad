// Values handed from block to block inside one launch: each travels in one word with the step's tag, so that a reader
// polls the value itself. No fence, no flag and no grid barrier stands between a product and its use.
#pragma once
#include <cstdint>

// Polls after which a step is given up: a launch that was not wholly resident, or a defect, becomes an error
// of the launch and never a hang.
constexpr uint32_t MOST_POLLS = 1u << 24;

struct Patience {
    uint32_t polls = 0;
    __device__ void wait() {
        if (++polls > MOST_POLLS) __trap();
    }
};

__device__ inline void store_word(uint64_t* at, uint64_t word) {
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(at), "l"(word) : "memory");
}

__device__ inline ulonglong2 load_words(const uint64_t* at) {
    ulonglong2 words;
    asm volatile("ld.relaxed.gpu.global.v2.u64 {%0, %1}, [%2];"
                 : "=l"(words.x), "=l"(words.y) : "l"(at) : "memory");
    return words;
}

__device__ inline uint32_t load_half(const uint32_t* at) {
    uint32_t word;
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(word) : "l"(at) : "memory");
    return word;
}

__device__ inline uint4 load_halves(const uint32_t* at) {
    uint4 words;
    asm volatile("ld.relaxed.gpu.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w) : "l"(at) : "memory");
    return words;
}

// An f32 and its tag in 64 bits.
__device__ inline void put(uint64_t* at, float value, uint32_t tag) {
    store_word(at, (uint64_t)tag << 32 | __float_as_uint(value));
}
__device__ inline bool is_tagged(ulonglong2 words, uint32_t tag) {
    return (uint32_t)(words.x >> 32) == tag && (uint32_t)(words.y >> 32) == tag;
}
__device__ inline float2 values(ulonglong2 words) {
    return make_float2(__uint_as_float((uint32_t)words.x), __uint_as_float((uint32_t)words.y));
}
// The functions that wait are called by whole warps, which stay together: a lane asks until all lanes have theirs.
__device__ inline float2 get2(const uint64_t* at, uint32_t tag) {
    Patience patience;
    ulonglong2 words = load_words(at);
    while (!__all_sync(~0u, is_tagged(words, tag))) {
        patience.wait();
        words = load_words(at);
    }
    return values(words);
}

// A bf16 in the upper half of 32 bits, so that the word without its tag is the f32; the tag's lower half below.
__device__ inline void put_half(uint32_t* at, float value, uint32_t tag) {
    uint32_t bits = __float_as_uint(value);
    bits += 0x7fff + (bits >> 16 & 1);
    asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(at), "r"((bits & 0xffff0000u) | (tag & 0xffffu)) : "memory");
}
__device__ inline bool is_tagged(uint4 words, uint32_t tag) {
    uint32_t wrong = (words.x ^ tag) | (words.y ^ tag) | (words.z ^ tag) | (words.w ^ tag);
    return (wrong & 0xffffu) == 0;
}
__device__ inline uint4 get4(const uint32_t* at, uint32_t tag) {
    Patience patience;
    uint4 words = load_halves(at);
    while (!__all_sync(~0u, is_tagged(words, tag))) {
        patience.wait();
        words = load_halves(at);
    }
    return words;
}

// Waits for one word, the same for the whole warp, which is one request to memory: asking for all of a warp's words until
// they are there would keep the pipes full of questions that the stream of weights needs.
__device__ inline void await(const uint64_t* at, uint32_t tag) {
    Patience patience;
    while (load_half((const uint32_t*)at + 1) != tag) patience.wait();
}
__device__ inline void await(const uint32_t* at, uint32_t tag) {
    Patience patience;
    while ((load_half(at) & 0xffffu) != (tag & 0xffffu)) patience.wait();
}
