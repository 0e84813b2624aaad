// One decode step of Qwen2 for one sequence as one persistent launch, one block a multiprocessor: each block owns the
// same rows of every matrix in every step, streams them through shared memory and exchanges vectors with the others
// through tagged words. The last block chooses the greedy token and moves the position on: a replay is the next step.
#include <cuda_bf16.h>
#include "exchange.cuh"
#include "ring.cuh"
#include "tile.cuh"

constexpr int WARPS = 16;
constexpr int THREADS = WARPS * 32;
// Rows of a matrix with the residual stream's width in a slot of the ring: those of a product's tile.
constexpr int ROWS = 16;
// Positions of a block of the KV cache.
constexpr int BLOCK = 16;
// Most parts that the positions of a head are divided into.
constexpr int MOST_SPLITS = 9;
// Rounds of positions that are in registers before the query is known.
constexpr int ROUNDS = 4;
constexpr int MOST_LAYERS = 64;

// Where a block's time goes, for scripts/cuda/decode_kernel.py alone: a clock after each stage.
#ifdef PROFILE
__device__ long long marks[256][MOST_LAYERS + 1][10], waits[256][MOST_LAYERS + 1][10];
#define MARK(layer, stage) \
    if (threadIdx.x == 0) marks[blockIdx.x][layer][stage] = clock64(), waits[blockIdx.x][layer][stage] = ring.waited
#else
#define MARK(layer, stage)
#endif

struct Layer {
    const __nv_bfloat16* qkv;
    const __nv_bfloat16* output;
    // Row 2i is row i of the gate, row 2i + 1 row i of the up projection.
    const __nv_bfloat16* gate_up;
    const __nv_bfloat16* down;
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
    const __nv_bfloat16* head;
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
};

template <int D_, int I_, int HEADS_, int KV_HEADS_, int HD_>
struct Shape {
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
    static constexpr int SLOT_BYTES = ROWS * stride_of(D * 2);
    static constexpr int DOWN_ROWS = SLOT_BYTES / stride_of(I * 2);
    static constexpr int SLOTS = 200 * 1024 / SLOT_BYTES;
    // Columns of D that one warp multiplies.
    static constexpr int COLUMNS = 64, COLUMN_WARPS = D / COLUMNS;
    static_assert(D % COLUMNS == 0 && COLUMN_WARPS <= WARPS && HD == COLUMNS, "a warp has one head's columns");
    static_assert(I % 128 == 0 && D % 64 == 0 && DOWN_ROWS > 0, "rows are whole lines of shared memory");
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

// Each array of sums is written once a layer, with barriers of the other stages between its last use and the next write.
template <class S>
struct Shared {
    Sums<MOST_QKV_ROWS> qkv;
    Sums<MOST_HIDDEN_ROWS> output;
    Sums<MOST_MLP_ROWS> gate_up;
    Sums<MOST_HIDDEN_ROWS> down;
    Sums<ROWS> head[2];
    float squares[2][WARPS];
    Columns<S::COLUMNS> columns[WARPS];
    uint32_t activation[WARPS][(S::I / 32 + WARPS - 1) / WARPS * 16];
    float query[WARPS][S::HD];
    float newest[2][S::HD];
    float outputs[WARPS][S::HD];
    float2 weights[WARPS];
    float2 turns[S::HD / 2];
    unsigned long long best[WARPS];
    Layer layers[MOST_LAYERS];
    Memory memory[MOST_LAYERS];
};

// A warp's columns of the residual stream, from the embedding's row or from words, times the norm's weights, as a
// product's input. The sum of their squares goes to `squares`; `norm_factor` makes of all sums the factor that is missing.
template <class S>
__device__ Operand<S::COLUMNS> take_in(Shared<S>& shared, const uint64_t* words, const __nv_bfloat16* row,
                                       const float* weights, uint32_t tag, float* squares, int warp, int lane) {
    const int at = warp * S::COLUMNS + lane * 2;
    const float2 weight = *(const float2*)(weights + at);
    float2 x;
    if (row) {
        const uint32_t pair = *(const uint32_t*)(row + at);
        x = make_float2(low(pair), high(pair));
    } else {
        await(words + warp * S::COLUMNS, tag);
        x = get2(words + at, tag);
    }
    shared.columns[warp].store(lane, x.x * weight.x, x.y * weight.y);
    const float sum = warp_sum(x.x * x.x + x.y * x.y);
    if (lane == 0) squares[warp] = sum;
    return shared.columns[warp].operand(lane);
}

template <class S>
__device__ float norm_factor(const float* squares, float epsilon) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < S::COLUMN_WARPS; i++) sum += squares[i];
    return rsqrtf(sum * (1.0f / S::D) + epsilon);
}

// A warp's columns of the block's rows of a matrix of D columns: a part of the products, for each row.
template <class S, class R, class Sums>
__device__ void multiply(R& ring, Sums& sums, int rows, const Operand<S::COLUMNS>& operand, int warp, int lane) {
#pragma unroll 1
    for (int first = 0; first < rows; first += ROWS) {
        const uint8_t* slot = ring.wait_full();
        if (warp < S::COLUMN_WARPS) {
            const Tile tile = multiply_tile<S::COLUMNS>(slot + warp * S::COLUMNS * 2, stride_of(S::D * 2), rows - first > 8, operand, lane);
            ring.release(lane);
            sums.store(first, tile, rows - first > 8, warp, lane);
        } else {
            ring.release(lane);
        }
    }
}

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
__device__ Operand<S::COLUMNS> join(Shared<S>& shared, const uint64_t* words, int splits, uint32_t tag, int warp, int lane) {
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
    shared.columns[warp].store(lane, __fdividef(sum.x, total), __fdividef(sum.y, total));
    return shared.columns[warp].operand(lane);
}

// A warp's columns of the block's rows of the down projection: whole groups of 32, for whose values alone it waits.
template <class S, class R>
__device__ void multiply_down(R& ring, Shared<S>& shared, int rows, const uint32_t* activation, uint32_t tag, int warp, int lane) {
    constexpr int GROUPS = S::I / 32;
    const int from = GROUPS * warp / WARPS, count = GROUPS * (warp + 1) / WARPS - from;
    uint32_t* own = shared.activation[warp];
    await(activation + from * 32, tag);
#pragma unroll 1
    for (int first = 0; first < count * 8; first += 32) {
        const int at = min(first + lane, count * 8 - 1);
        const uint4 x = get4(activation + from * 32 + at * 4, tag);
        *(uint2*)(own + at * 2) = make_uint2(__byte_perm(x.x, x.y, 0x7632), __byte_perm(x.z, x.w, 0x7632));
    }
    __syncwarp();
    // A tile's rows are in several slots.
    const int row = lane / 4, slot = row / S::DOWN_ROWS;
    const uint8_t* place = nullptr;
    R ahead = ring;
    for (int first = 0, i = 0; first < rows; first += S::DOWN_ROWS, i++) {
        const uint8_t* here = ahead.wait_full();
        if (slot >= i) place = here + min(row, rows - 1) % S::DOWN_ROWS * stride_of(S::I * 2);
        ahead.advance();
    }
    place += (from * 32 + lane % 4 * 8) * 2;
    Tile tile;
    const uint32_t* operand = own + lane % 4 * 4;
#pragma unroll 2
    for (int g = 0; g < count; g++) {
        uint4 b = make_uint4(0, 0, 0, 0);
        if (lane < 4) b = *(const uint4*)(operand + g * 16);
        tile.add(*(const uint4*)(place + g * 64), make_uint4(0, 0, 0, 0), b);
    }
    for (int first = 0; first < rows; first += S::DOWN_ROWS) ring.release(lane);
    shared.down.store(0, tile, false, warp, lane);
}

// Larger for a larger logit, and for the smaller id where logits are equal.
__device__ inline unsigned long long rank(float logit, uint32_t id) {
    const uint32_t bits = __float_as_uint(logit);
    return (unsigned long long)(bits & 0x80000000u ? ~bits : bits | 0x80000000u) << 32 | (uint32_t)~id;
}

template <class S>
__device__ void decode(const Step& step) {
    extern __shared__ __align__(128) uint8_t slots[];
    __shared__ Shared<S> shared;
    __shared__ uint64_t full[S::SLOTS], empty[S::SLOTS];
    Ring<S::SLOTS, S::SLOT_BYTES, WARPS> ring{slots, full, empty};
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (threadIdx.x == 0) ring.start();
    __syncthreads();

    const Rows qkv = own_rows(S::QKV), hidden = own_rows(S::D), mlp = own_rows(S::I), head = own_rows(step.vocabulary);
    if (warp == WARPS) {
        const uint64_t policy = read_once_policy();
        constexpr int D = S::D, I = S::I;
#pragma unroll 1
        for (int l = 0; l < step.layer_count; l++) {
            const Layer& layer = step.layers[l];
            ring.template fill<ROWS>(layer.qkv + (size_t)qkv.from * D, qkv.count, D * 2, policy, lane);
            ring.template fill<ROWS>(layer.output + (size_t)hidden.from * D, hidden.count, D * 2, policy, lane);
            ring.template fill<ROWS>(layer.gate_up + (size_t)mlp.from * 2 * D, mlp.count * 2, D * 2, policy, lane);
            ring.template fill<S::DOWN_ROWS>(layer.down + (size_t)hidden.from * I, hidden.count, I * 2, policy, lane);
        }
        ring.paced = false;
        ring.template fill<ROWS>(step.head + (size_t)head.from * D, head.count, D * 2, policy, lane);
        return;
    }

    const uint32_t tag = step.state->tag, token = step.state->token;
    const int position = step.state->position;
    constexpr int AT_ONCE = ROUNDS * PER_ROUND<S>;
    const int splits = min(min(MOST_SPLITS, (int)gridDim.x / S::HEADS), (position + AT_ONCE) / AT_ONCE);
    const int length = position + 1, size = (length + splits - 1) / splits, split = blockIdx.x % splits;
    const Positions own{split * size, min((split + 1) * size, length), split};
    const int attention_head = blockIdx.x / splits, kv_head = attention_head / S::GROUP;
    const bool attends = attention_head < S::HEADS, multiplies = warp < S::COLUMN_WARPS;
    int blocks[ROUNDS];
#pragma unroll
    for (int r = 0; r < ROUNDS; r++) {
        const int p = own.from + r * PER_ROUND<S> + warp * (32 / LANES<S>) + lane / LANES<S>;
        blocks[r] = step.table[min(p, position) / BLOCK];
    }
    // Read ahead of need: these loads must not stand between two stages.
    for (int l = threadIdx.x; l < step.layer_count; l += THREADS) {
        shared.layers[l] = step.layers[l];
        shared.memory[l] = step.memory[l];
    }
    if (threadIdx.x < S::HD / 2) shared.turns[threadIdx.x] = step.rotary[position * (S::HD / 2) + threadIdx.x];
    shared.qkv.clear(), shared.output.clear(), shared.gate_up.clear(), shared.head[0].clear(), shared.head[1].clear();
    sync_computing();

    // Four lanes join the sums of a row; the first of them has the row's value of the residual stream.
    const int row = threadIdx.x / 4;
    const bool first = threadIdx.x % 4 == 0, has_hidden = row < hidden.count;
    const __nv_bfloat16* embedded = step.embedding + (size_t)token * S::D;
    float residual = has_hidden ? __bfloat162float(embedded[hidden.from + row]) : 0;
    const uint64_t* before = nullptr;
    Operand<S::COLUMNS> operand;
    Keys held;
#pragma unroll 1
    for (int l = 0; l < step.layer_count; l++) {
        const Layer& layer = shared.layers[l];
        uint64_t* words = step.words + (size_t)l * S::WORDS;
        uint32_t* activation = (uint32_t*)(words + S::AT_ACTIVATION);
        MARK(l, 0);
        if (attends)
            load<S>(held, shared.memory[l], step.table, blocks, true, kv_head, own.from, own.to, position, warp, lane);
        const float bias = first && row < qkv.count ? layer.qkv_bias[qkv.from + row] : 0;
        if (multiplies) operand = take_in(shared, before, embedded, layer.attention_norm, tag, shared.squares[0], warp, lane);
        MARK(l, 1);
        multiply<S>(ring, shared.qkv, qkv.count, operand, warp, lane);
        sync_computing();
        if (row < qkv.count) {
            const float sum = shared.qkv.join(row) * norm_factor<S>(shared.squares[0], step.epsilon);
            if (first) put(words + qkv.from + row, sum + bias, tag);
        }
        MARK(l, 2);

        if (attends)
            attend(step, shared, shared.memory[l], words, held, blocks, attention_head, own, position, tag, warp, lane);
        MARK(l, 3);
        if (multiplies) operand = join(shared, words, splits, tag, warp, lane);
        MARK(l, 4);
        multiply<S>(ring, shared.output, hidden.count, operand, warp, lane);
        sync_computing();
        if (has_hidden) {
            residual += shared.output.join(row);
            if (first) put(words + S::AT_MIDDLE + hidden.from + row, residual, tag);
        }
        MARK(l, 5);

        if (multiplies)
            operand = take_in(shared, words + S::AT_MIDDLE, nullptr, layer.mlp_norm, tag, shared.squares[1], warp, lane);
        MARK(l, 6);
        multiply<S>(ring, shared.gate_up, mlp.count * 2, operand, warp, lane);
        sync_computing();
        if (row < MOST_MLP_ROWS) {
            const float sum = shared.gate_up.join(row) * norm_factor<S>(shared.squares[1], step.epsilon);
            const float up = __shfl_down_sync(~0u, sum, 4);
            if (first && row % 2 == 0 && row < mlp.count * 2)
                put_half(activation + mlp.from + row / 2, __fdividef(sum, 1 + __expf(-sum)) * up, tag);
        }
        MARK(l, 7);

        multiply_down(ring, shared, hidden.count, activation, tag, warp, lane);
        sync_computing();
        if (has_hidden) {
            residual += shared.down.join(row);
            if (first) put(words + S::AT_END + hidden.from + row, residual, tag);
        }
        MARK(l, 8);
        before = words + S::AT_END;
        embedded = nullptr;
    }

    if (multiplies) operand = take_in(shared, before, embedded, step.norm, tag, shared.squares[0], warp, lane);
    MARK(step.layer_count, 0);
    unsigned long long highest = 0;
    int side = 0;
#pragma unroll 1
    for (int at = 0; at < head.count; at += ROWS, side ^= 1) {
        multiply<S>(ring, shared.head[side], min(ROWS, head.count - at), operand, warp, lane);
        sync_computing();
        if (row < ROWS) {
            const float logit = shared.head[side].join(row) * norm_factor<S>(shared.squares[0], step.epsilon);
            if (first && at + row < head.count) {
                step.logits[head.from + at + row] = logit;
                highest = max(highest, rank(logit, head.from + at + row));
            }
        }
    }
    MARK(step.layer_count, 1);
    for (int i = 16; i > 0; i /= 2) highest = max(highest, __shfl_xor_sync(~0u, highest, i));
    if (lane == 0) shared.best[warp] = highest;
    sync_computing();
    if (threadIdx.x > 0) return;
    for (int w = 1; w < WARPS; w++) highest = max(highest, shared.best[w]);
    State* state = step.state;
    atomicMax(&state->best, highest);
    __threadfence();
    if (atomicAdd(&state->arrived, 1) + 1 < gridDim.x) return;
    __threadfence();
    const uint32_t next = ~(uint32_t)atomicExch(&state->best, 0);
    if (state->chosen < step.most_tokens) step.tokens[state->chosen] = next;
    state->chosen += 1;
    state->token = next;
    state->position = position + 1;
    state->tag = tag + 1;
    state->arrived = 0;
}

// Qwen2 and Qwen2.5 0.5B.
extern "C" __global__ void __launch_bounds__(THREADS + 32, 1) decode_896_4864_14_2_64(const __grid_constant__ Step step) {
    decode<Shape<896, 4864, 14, 2, 64>>(step);
}
