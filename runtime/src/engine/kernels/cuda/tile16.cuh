// Weights of 16 bits: bf16. A vector's upper digits are its values rounded to bf16, its lower ones the rest, rounded too.
#pragma once
#include "exchange.cuh"
#include "tile.cuh"

struct Bf16 {
    static constexpr int BYTES = 2;
    // Columns that four lanes' 16 bytes hold.
    static constexpr int GROUP = 32;
    // Whether each row has a scale.
    static constexpr bool SCALED = false;
    // Slots in flight while blocks exchange words, and where they do not. Requests beyond what keeps memory busy only stand in
    // the words' way: on an H100, layers took 20.5 us with six slots in flight, 17.2 with one.
    static constexpr int PACED_WINDOW = 1, WINDOW = 3;

    template <int COLUMNS>
    struct Operand {
        uint4 groups[COLUMNS / GROUP];
        static constexpr float scale = 1;
    };

    // One warp's columns of a vector, as pairs.
    template <int COLUMNS>
    struct __align__(16) Columns {
        uint32_t rounded[COLUMNS / 2];
        uint32_t rest[COLUMNS / 2];

        // Two values of each lane. Lanes 0 to 3 then have the first column of the instruction, 4 to 7 the second.
        __device__ Operand<COLUMNS> take(int lane, float a, float b) {
            const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
            const float2 back = __bfloat1622float2(pair);
            const __nv_bfloat162 left = __floats2bfloat162_rn(a - back.x, b - back.y);
            rounded[lane] = *(const uint32_t*)&pair;
            rest[lane] = *(const uint32_t*)&left;
            __syncwarp();
            Operand<COLUMNS> operand;
            const uint32_t* from = (lane < 4 ? rounded : rest) + lane % 4 * 4;
#pragma unroll
            for (int g = 0; g < COLUMNS / GROUP; g++)
                operand.groups[g] = lane < 8 ? *(const uint4*)(from + g * 16) : make_uint4(0, 0, 0, 0);
            __syncwarp();
            return operand;
        }
    };

    // One warp's groups of the activation, which is bf16 already.
    template <int MOST>
    struct __align__(16) Activation {
        uint32_t pairs[MOST * 16];

        // Returns the scale of what it takes from the words.
        __device__ float take(const uint32_t* words, int groups, uint32_t tag, int lane) {
#pragma unroll 1
            for (int first = 0; first < groups * 8; first += 32) {
                const int at = min(first + lane, groups * 8 - 1);
                const uint4 x = get4(words + at * 4, tag);
                *(uint2*)(pairs + at * 2) = make_uint2(__byte_perm(x.x, x.y, 0x7632), __byte_perm(x.z, x.w, 0x7632));
            }
            __syncwarp();
            return 1;
        }
        __device__ uint4 operand(int group, int lane) const {
            return lane < 4 ? *(const uint4*)(pairs + group * 16 + lane * 4) : make_uint4(0, 0, 0, 0);
        }
    };

    // Sums of 16 rows: those of row `lane / 4` and of the eighth after it are in the lanes divisible by 4.
    struct Tile {
        float even[4] = {0, 0, 0, 0};
        float odd[4] = {0, 0, 0, 0};

        // 8 columns a lane of its two rows, and of the vector.
        __device__ void add(uint4 upper, uint4 lower, uint4 x) {
            mma(even, upper.x, lower.x, upper.y, lower.y, x.x, x.y);
            mma(odd, upper.z, lower.z, upper.w, lower.w, x.z, x.w);
        }
        __device__ float upper() const { return even[0] + even[1] + (odd[0] + odd[1]); }
        __device__ float lower() const { return even[2] + even[3] + (odd[2] + odd[3]); }
    };
};
