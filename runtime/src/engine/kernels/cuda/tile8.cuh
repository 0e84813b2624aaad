// Weights of 8 bits: whole numbers from -127 to 127, times a scale for each row. A warp's columns of a vector are whole numbers
// of 16 bits times a scale of their own: 256 times upper digits and lower digits, 8 bits each. All products are exact.
#pragma once
#include "exchange.cuh"
#include "tile.cuh"

__device__ inline void mma(int (&sums)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

struct Int8 {
    static constexpr int BYTES = 1;
    static constexpr int GROUP = 64;
    static constexpr bool SCALED = true;
    static constexpr int PACED_WINDOW = 1, WINDOW = 6;

    // The largest number: its upper digits are 127.
    static constexpr float MOST_NUMBER = 127 * 256;

    template <int COLUMNS>
    struct Operand {
        uint4 groups[COLUMNS / GROUP];
        float scale;
    };

    // The scale of a warp's values, of which `most` has the bits of the largest one without its sign; NaN if one is.
    __device__ static float scale_of(uint32_t most) {
        const float size = __uint_as_float(__reduce_max_sync(~0u, most));
        return (size < 1e-30f ? 1e-30f : size) * (1 / MOST_NUMBER);
    }
    __device__ static uint32_t size_of(float value) { return __float_as_uint(value) & 0x7fffffffu; }
    // The digits of four numbers, a byte each.
    __device__ static uint32_t lower_digits(int a, int b, int c, int d) {
        return __byte_perm(__byte_perm(a, b, 0x0040), __byte_perm(c, d, 0x0040), 0x5410);
    }
    __device__ static uint32_t upper_digits(int a, int b, int c, int d) {
        return __byte_perm(__byte_perm(a + 128, b + 128, 0x0051), __byte_perm(c + 128, d + 128, 0x0051), 0x5410);
    }

    template <int COLUMNS>
    struct __align__(16) Columns {
        uint32_t upper[COLUMNS / 4];
        uint32_t lower[COLUMNS / 4];

        __device__ Operand<COLUMNS> take(int lane, float a, float b) {
            Operand<COLUMNS> operand;
            operand.scale = scale_of(max(size_of(a), size_of(b)));
            const float factor = __fdividef(1, operand.scale);
            const int x = __float2int_rn(a * factor), y = __float2int_rn(b * factor);
            ((uint16_t*)upper)[lane] = upper_digits(x, y, 0, 0);
            ((uint16_t*)lower)[lane] = lower_digits(x, y, 0, 0);
            __syncwarp();
            const uint32_t* from = (lane < 4 ? upper : lower) + lane % 4 * 4;
#pragma unroll
            for (int g = 0; g < COLUMNS / GROUP; g++)
                operand.groups[g] = lane < 8 ? *(const uint4*)(from + g * 16) : make_uint4(0, 0, 0, 0);
            __syncwarp();
            return operand;
        }
    };

    template <int MOST>
    struct __align__(16) Activation {
        uint32_t upper[MOST * 16];
        uint32_t lower[MOST * 16];

        __device__ float take(const uint32_t* words, int groups, uint32_t tag, int lane) {
            constexpr int ROUNDS = (MOST * 16 + 31) / 32;
            uint4 held[ROUNDS];
            uint32_t most = 0;
#pragma unroll
            for (int r = 0; r < ROUNDS; r++) {
                held[r] = get4(words + min(r * 32 + lane, groups * 16 - 1) * 4, tag);
                most = max(most, max(max(size_of(high(held[r].x)), size_of(high(held[r].y))),
                                     max(size_of(high(held[r].z)), size_of(high(held[r].w)))));
            }
            const float scale = scale_of(most), factor = __fdividef(1, scale);
            const auto number = [&](uint32_t word) { return __float2int_rn(high(word) * factor); };
#pragma unroll
            for (int r = 0; r < ROUNDS; r++) {
                const int at = min(r * 32 + lane, groups * 16 - 1);
                const int a = number(held[r].x), b = number(held[r].y), c = number(held[r].z), d = number(held[r].w);
                upper[at] = upper_digits(a, b, c, d);
                lower[at] = lower_digits(a, b, c, d);
            }
            __syncwarp();
            return scale;
        }
        __device__ uint4 operand(int group, int lane) const {
            const uint32_t* from = (lane < 4 ? upper : lower) + lane % 4 * 4;
            return lane < 8 ? *(const uint4*)(from + group * 16) : make_uint4(0, 0, 0, 0);
        }
    };

    struct Tile {
        int even[4] = {0, 0, 0, 0};
        int odd[4] = {0, 0, 0, 0};

        // 16 columns a lane of its two rows, and of the vector.
        __device__ void add(uint4 upper, uint4 lower, uint4 x) {
            mma(even, upper.x, lower.x, upper.y, lower.y, x.x, x.y);
            mma(odd, upper.z, lower.z, upper.w, lower.w, x.z, x.w);
        }
        __device__ float upper() const { return fmaf(256, even[0] + odd[0], even[1] + odd[1]); }
        __device__ float lower() const { return fmaf(256, even[2] + odd[2], even[3] + odd[3]); }
    };
};
