// Products of 16 (or 8) rows of weights in shared memory with one vector, by tensor cores. The vector is a sum of two parts,
// its upper and its lower digits, in two columns of the same instruction: f32's precision, nearly, for nothing. The weights'
// form decides what the digits are: `tile16.cuh`, `tile8.cuh`.
#pragma once
#include <cuda_bf16.h>
#include <cstdint>

__device__ inline float low(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ inline float high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }

__device__ inline float dot8(uint4 w, const float* x) {
    float a = low(w.x) * x[0], b = high(w.x) * x[1];
    a = fmaf(low(w.y), x[2], a);
    b = fmaf(high(w.y), x[3], b);
    a = fmaf(low(w.z), x[4], a);
    b = fmaf(high(w.z), x[5], b);
    a = fmaf(low(w.w), x[6], a);
    return a + fmaf(high(w.w), x[7], b);
}

__device__ inline void add8(float* sum, float factor, uint4 v) {
    sum[0] = fmaf(factor, low(v.x), sum[0]);
    sum[1] = fmaf(factor, high(v.x), sum[1]);
    sum[2] = fmaf(factor, low(v.y), sum[2]);
    sum[3] = fmaf(factor, high(v.y), sum[3]);
    sum[4] = fmaf(factor, low(v.z), sum[4]);
    sum[5] = fmaf(factor, high(v.z), sum[5]);
    sum[6] = fmaf(factor, low(v.w), sum[6]);
    sum[7] = fmaf(factor, high(v.w), sum[7]);
}

__device__ inline void mma(float (&sums)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// A warp's columns of some rows, those of row `lane / 4` and of the eighth after it 16 neighbouring bytes a lane in each
// group. The lanes have the same columns of the vector: the instruction's own order of columns does not matter to a sum.
template <class W, int COLUMNS>
__device__ inline typename W::Tile multiply_tile(const uint8_t* rows, int stride, bool more_than_8,
                                                 const typename W::template Operand<COLUMNS>& x, int lane) {
    const uint8_t* own = rows + lane / 4 * stride + lane % 4 * 16;
    typename W::Tile tile;
#pragma unroll
    for (int g = 0; g < COLUMNS / W::GROUP; g++) {
        const uint4 upper = *(const uint4*)(own + g * 64);
        const uint4 lower = more_than_8 ? *(const uint4*)(own + 8 * stride + g * 64) : make_uint4(0, 0, 0, 0);
        tile.add(upper, lower, x.groups[g]);
    }
    return tile;
}

// The warps' parts of the sums of some rows.
template <int ROWS>
struct __align__(16) Sums {
    static constexpr int STRIDE = 20;
    float parts[ROWS][STRIDE];

    __device__ void clear() {
        for (int i = threadIdx.x; i < ROWS * STRIDE; i += 512) (&parts[0][0])[i] = 0;
    }
    // A tile's sums are in the lanes divisible by 4; `scale` is the vector's.
    template <class Tile>
    __device__ void store(int first, const Tile& tile, float scale, bool more_than_8, int warp, int lane) {
        if (lane % 4 == 0) {
            parts[first + lane / 4][warp] = tile.upper() * scale;
            if (more_than_8) parts[first + lane / 4 + 8][warp] = tile.lower() * scale;
        }
    }
    // The sum of a row, to each of four neighbouring lanes that ask for it.
    __device__ float join(int row) const {
        const float4 four = *(const float4*)(parts[row] + threadIdx.x % 4 * 4);
        float sum = four.x + four.y + (four.z + four.w);
        sum += __shfl_xor_sync(__activemask(), sum, 1);
        return sum + __shfl_xor_sync(__activemask(), sum, 2);
    }
};
