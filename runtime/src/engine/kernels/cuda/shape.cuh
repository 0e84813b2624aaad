// What the decode step is handed, how a shape divides into slots, columns and words, and what a block keeps in shared memory.
#pragma once
#include <cuda_bf16.h>
#include "exchange.cuh"
#include "ring.cuh"
#include "tile16.cuh"
#include "tile8.cuh"

constexpr int WARPS = 16;
constexpr int THREADS = WARPS * 32;
// Rows of a matrix with the residual stream's width in a slot of the ring: those of a product's tile.
constexpr int ROWS = 16;
// Positions of a block of the KV cache.
constexpr int BLOCK = 16;
// Most parts that the positions of a head are divided into.
constexpr int MOST_SPLITS = 9;
// Rounds of positions that are in registers before the query is known.
constexpr int ROUNDS = 3;
constexpr int MOST_LAYERS = 64;
// At most so much of a block's shared memory is the ring.
constexpr int RING_BYTES = 174 * 1024;

// Where a block's time goes, for scripts/cuda/decode_kernel.py alone: a clock after each stage.
#ifdef PROFILE
__device__ long long marks[256][MOST_LAYERS + 1][10], waits[256][MOST_LAYERS + 1][10];
#define MARK(layer, stage) \
    if (threadIdx.x == 0) marks[blockIdx.x][layer][stage] = clock64(), waits[blockIdx.x][layer][stage] = ring.waited
#else
#define MARK(layer, stage)
#endif

// A matrix, and the scales of its rows where its form has any.
struct Matrix {
    const uint8_t* weights;
    const float* scales;
};

struct Layer {
    Matrix qkv;
    Matrix output;
    // Row 2i is row i of the gate, row 2i + 1 row i of the up projection.
    Matrix gate_up;
    Matrix down;
    const float* qkv_bias;
    const float* attention_norm;
    const float* mlp_norm;
};

// Keys and values of one layer, `[blocks, kv_heads, 16, head_dim]`.
struct Memory {
    __nv_bfloat16* keys;
    __nv_bfloat16* values;
};

// What one step leaves to the next.
struct State {
    uint32_t token;
    uint32_t position;
    // Counts steps from 1: the tag of this step's words.
    uint32_t tag;
    uint32_t arrived;
    unsigned long long best;
    // Tokens chosen since the host last set it to 0.
    uint32_t chosen;
    uint32_t unused;
};

struct Step {
    const Layer* layers;
    const Memory* memory;
    const __nv_bfloat16* embedding;
    Matrix head;
    const float* norm;
    // `[positions, head_dim / 2]` of (cos, sin).
    const float2* rotary;
    const uint32_t* table;
    State* state;
    uint64_t* words;
    float* logits;
    uint32_t* tokens;
    uint32_t most_tokens;
    int layer_count;
    int vocabulary;
    float epsilon;
    // See the ring.
    uint32_t pace;
    uint32_t unused;
};

template <class Weights, int D_, int I_, int HEADS_, int KV_HEADS_, int HD_>
struct Shape {
    using W = Weights;
    static constexpr int D = D_, I = I_, HEADS = HEADS_, KV_HEADS = KV_HEADS_, HD = HD_;
    static constexpr int GROUP = HEADS / KV_HEADS, QKV = (HEADS + 2 * KV_HEADS) * HD;
    // Words of a layer's exchanges, in this order. A part of a head: its weight (highest score, sum), its outputs.
    static constexpr int PART = HD + 2;
    static constexpr int AT_ATTENTION = QKV;
    static constexpr int AT_MIDDLE = AT_ATTENTION + HEADS * MOST_SPLITS * PART;
    static constexpr int AT_ACTIVATION = AT_MIDDLE + D;
    static constexpr int AT_END = AT_ACTIVATION + I / 2;
    static constexpr int WORDS = AT_END + D;
    // The ring's slots hold ROWS rows of D values or as many of I as fit.
    static constexpr int SLOT_BYTES = ROWS * stride_of(D * W::BYTES);
    static constexpr int DOWN_ROWS = SLOT_BYTES / stride_of(I * W::BYTES);
    static constexpr int SLOTS = RING_BYTES / SLOT_BYTES;
    // Columns of D that one warp multiplies.
    static constexpr int COLUMNS = 64, COLUMN_WARPS = D / COLUMNS;
    static_assert(D % COLUMNS == 0 && COLUMN_WARPS <= WARPS && HD == COLUMNS, "a warp has one head's columns");
    static_assert(I * W::BYTES % 128 == 0 && D * W::BYTES % 128 == 0 && DOWN_ROWS > 0, "rows are whole lines of shared memory");
    // Groups of the down projection's columns, and how many a warp has at most.
    static constexpr int GROUPS = I / W::GROUP, WARP_GROUPS = (GROUPS + WARPS - 1) / WARPS;
    static_assert(I % W::GROUP == 0, "the MLP is as wide as whole groups");
    using Operand = typename W::template Operand<COLUMNS>;
    using Stream = Ring<W, SLOTS, SLOT_BYTES, WARPS>;
};

struct Rows {
    int from;
    int count;
};
__device__ inline Rows own_rows(uint32_t rows) {
    const uint32_t from = rows * blockIdx.x / gridDim.x;
    return {(int)from, (int)(rows * (blockIdx.x + 1) / gridDim.x - from)};
}

__device__ inline void sync_computing() { asm volatile("bar.sync 1, %0;" ::"n"(THREADS) : "memory"); }

__device__ inline float warp_sum(float value) {
#pragma unroll
    for (int i = 16; i > 0; i /= 2) value += __shfl_xor_sync(~0u, value, i);
    return value;
}

// Blocks own at most so many rows: what the arrays below hold, and what the host checks before it launches.
constexpr int MOST_QKV_ROWS = 16, MOST_HIDDEN_ROWS = 8, MOST_MLP_ROWS = 96;
// Rows of the head between two barriers of a block: their sums take turns in the two halves of the MLP's.
constexpr int HEAD_ROWS = 48;
static_assert(2 * HEAD_ROWS <= MOST_MLP_ROWS && HEAD_ROWS % ROWS == 0, "whole tiles");

// Each array of sums is written once a layer, with barriers of the other stages between its last use and the next write.
template <class S>
struct Shared {
    Sums<MOST_QKV_ROWS> qkv;
    Sums<MOST_HIDDEN_ROWS> output;
    Sums<MOST_MLP_ROWS> gate_up;
    Sums<MOST_HIDDEN_ROWS> down;
    float squares[2][WARPS];
    typename S::W::template Columns<S::COLUMNS> columns[WARPS];
    typename S::W::template Activation<S::WARP_GROUPS> activation[WARPS];
    float query[WARPS][S::HD];
    float newest[2][S::HD];
    float outputs[WARPS][S::HD];
    float2 weights[WARPS];
    float2 turns[S::HD / 2];
    unsigned long long best[WARPS];
    Layer layers[MOST_LAYERS];
    Memory memory[MOST_LAYERS];
};

