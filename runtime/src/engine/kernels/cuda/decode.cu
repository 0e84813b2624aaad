// One decode step of Qwen2 for one sequence as one persistent launch, one block a multiprocessor: each block owns the
// same rows of every matrix in every step, streams them through shared memory and exchanges vectors with the others
// through tagged words. The last block chooses the greedy token and moves the position on: a replay is the next step.
// The weights are bf16, or whole numbers of 8 bits with a scale a row.
#include "attention.cuh"
#include "shape.cuh"

// A warp's columns of the residual stream, from the embedding's row or from words, times the norm's weights, as a
// product's input. The sum of their squares goes to `squares`; `norm_factor` makes of all sums the factor that is missing.
template <class S>
__device__ typename S::Operand take_in(Shared<S>& shared, const uint64_t* words, const __nv_bfloat16* row,
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
    const typename S::Operand operand = shared.columns[warp].take(lane, x.x * weight.x, x.y * weight.y);
    const float sum = warp_sum(x.x * x.x + x.y * x.y);
    if (lane == 0) squares[warp] = sum;
    return operand;
}

template <class S>
__device__ float norm_factor(const float* squares, float epsilon) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < S::COLUMN_WARPS; i++) sum += squares[i];
    return rsqrtf(sum * (1.0f / S::D) + epsilon);
}

// A warp's columns of the block's rows of a matrix of D columns: a part of the products, for each row.
template <class S, class Sums>
__device__ void multiply(typename S::Stream& ring, Sums& sums, int to, int rows, const typename S::Operand& operand, int warp, int lane) {
    using W = typename S::W;
    constexpr int STRIDE = stride_of(S::D * W::BYTES);
#pragma unroll 1
    for (int first = 0; first < rows; first += ROWS) {
        const uint8_t* slot = ring.wait_full() + warp * S::COLUMNS * W::BYTES;
        if (warp < S::COLUMN_WARPS) {
            const bool more = rows - first > 8;
            const auto tile = multiply_tile<W, S::COLUMNS>(slot, STRIDE, more, operand, lane);
            ring.release(lane);
            sums.store(to + first, tile, operand.scale, more, warp, lane);
        } else {
            ring.release(lane);
        }
    }
}

// A warp's columns of the block's rows of the down projection: whole groups, for whose values alone it waits.
template <class S>
__device__ void multiply_down(typename S::Stream& ring, Shared<S>& shared, int rows, const uint32_t* activation, uint32_t tag, int warp, int lane) {
    using W = typename S::W;
    const int from = S::GROUPS * warp / WARPS, count = S::GROUPS * (warp + 1) / WARPS - from;
    auto& own = shared.activation[warp];
    await(activation + (from + count - 1) * W::GROUP, tag);
    const float scale = own.take(activation + from * W::GROUP, count, tag, lane);
    // A tile's rows are in several slots.
    const int row = lane / 4, slot = row / S::DOWN_ROWS;
    const uint8_t* place = nullptr;
    typename S::Stream ahead = ring;
    for (int first = 0, i = 0; first < rows; first += S::DOWN_ROWS, i++) {
        const uint8_t* here = ahead.wait_full();
        if (slot >= i) place = here + min(row, rows - 1) % S::DOWN_ROWS * stride_of(S::I * W::BYTES);
        ahead.advance();
    }
    place += from * W::GROUP * W::BYTES + lane % 4 * 16;
    typename W::Tile tile;
#pragma unroll 2
    for (int g = 0; g < count; g++)
        tile.add(*(const uint4*)(place + g * 64), make_uint4(0, 0, 0, 0), own.operand(g, lane));
    for (int first = 0; first < rows; first += S::DOWN_ROWS) ring.release(lane);
    shared.down.store(0, tile, scale, false, warp, lane);
}

// The scale of a row, to be read well before it is needed.
template <class S>
__device__ float scale_of(const Matrix& matrix, int row, bool exists) {
    return S::W::SCALED && exists ? matrix.scales[row] : 1;
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
    typename S::Stream ring{slots, full, empty, step.pace};
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (threadIdx.x == 0) ring.start();
    __syncthreads();

    const Rows qkv = own_rows(S::QKV), hidden = own_rows(S::D), mlp = own_rows(S::I), head = own_rows(step.vocabulary);
    if (warp == WARPS) {
        const uint64_t policy = read_once_policy();
        constexpr int D = S::D * S::W::BYTES, I = S::I * S::W::BYTES;
        const auto at = [](const Matrix& matrix, int row, int bytes) { return matrix.weights + (size_t)row * bytes; };
#pragma unroll 1
        for (int l = 0; l < step.layer_count; l++) {
            const Layer& layer = step.layers[l];
            ring.template fill<ROWS>(at(layer.qkv, qkv.from, D), qkv.count, D, policy, lane);
            ring.template fill<ROWS>(at(layer.output, hidden.from, D), hidden.count, D, policy, lane);
            ring.template fill<ROWS>(at(layer.gate_up, mlp.from * 2, D), mlp.count * 2, D, policy, lane);
            ring.template fill<S::DOWN_ROWS>(at(layer.down, hidden.from, I), hidden.count, I, policy, lane);
        }
        ring.paced = false;
        ring.template fill<ROWS>(at(step.head, head.from, D), head.count, D, policy, lane);
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
    shared.qkv.clear(), shared.output.clear(), shared.gate_up.clear();
    sync_computing();

    // Four lanes join the sums of a row; the first of them has the row's value of the residual stream.
    const int row = threadIdx.x / 4;
    const bool first = threadIdx.x % 4 == 0, has_hidden = row < hidden.count;
    const __nv_bfloat16* embedded = step.embedding + (size_t)token * S::D;
    float residual = has_hidden ? __bfloat162float(embedded[hidden.from + row]) : 0;
    const uint64_t* before = nullptr;
    typename S::Operand operand;
    Keys held;
#pragma unroll 1
    for (int l = 0; l < step.layer_count; l++) {
        const Layer& layer = shared.layers[l];
        uint64_t* words = step.words + (size_t)l * S::WORDS;
        uint32_t* activation = (uint32_t*)(words + S::AT_ACTIVATION);
        MARK(l, 0);
        if (attends)
            load<S>(held, shared.memory[l], step.table, blocks, true, kv_head, own.from, own.to, position, warp, lane);
        const float qkv_scale = scale_of<S>(layer.qkv, qkv.from + row, row < qkv.count);
        const float output_scale = scale_of<S>(layer.output, hidden.from + row, has_hidden);
        const float gate_up_scale = scale_of<S>(layer.gate_up, mlp.from * 2 + row, row < mlp.count * 2);
        const float down_scale = scale_of<S>(layer.down, hidden.from + row, has_hidden);
        const float bias = first && row < qkv.count ? layer.qkv_bias[qkv.from + row] : 0;
        if (multiplies) operand = take_in(shared, before, embedded, layer.attention_norm, tag, shared.squares[0], warp, lane);
        MARK(l, 1);
        multiply<S>(ring, shared.qkv, 0, qkv.count, operand, warp, lane);
        sync_computing();
        if (row < qkv.count) {
            const float sum = shared.qkv.join(row) * qkv_scale * norm_factor<S>(shared.squares[0], step.epsilon);
            if (first) put(words + qkv.from + row, sum + bias, tag);
        }
        MARK(l, 2);

        if (attends)
            attend(step, shared, shared.memory[l], words, held, blocks, attention_head, own, position, tag, warp, lane);
        MARK(l, 3);
        if (multiplies) operand = join(shared, words, splits, tag, warp, lane);
        MARK(l, 4);
        multiply<S>(ring, shared.output, 0, hidden.count, operand, warp, lane);
        sync_computing();
        if (has_hidden) {
            residual += shared.output.join(row) * output_scale;
            if (first) put(words + S::AT_MIDDLE + hidden.from + row, residual, tag);
        }
        MARK(l, 5);

        if (multiplies)
            operand = take_in(shared, words + S::AT_MIDDLE, nullptr, layer.mlp_norm, tag, shared.squares[1], warp, lane);
        MARK(l, 6);
        multiply<S>(ring, shared.gate_up, 0, mlp.count * 2, operand, warp, lane);
        sync_computing();
        if (row < MOST_MLP_ROWS) {
            const float sum = shared.gate_up.join(row) * gate_up_scale * norm_factor<S>(shared.squares[1], step.epsilon);
            const float up = __shfl_down_sync(~0u, sum, 4);
            if (first && row % 2 == 0 && row < mlp.count * 2)
                put_half(activation + mlp.from + row / 2, __fdividef(sum, 1 + __expf(-sum)) * up, tag);
        }
        MARK(l, 7);

        multiply_down(ring, shared, hidden.count, activation, tag, warp, lane);
        sync_computing();
        if (has_hidden) {
            residual += shared.down.join(row) * down_scale;
            if (first) put(words + S::AT_END + hidden.from + row, residual, tag);
        }
        MARK(l, 8);
        before = words + S::AT_END;
        embedded = nullptr;
    }

    if (multiplies) operand = take_in(shared, before, embedded, step.norm, tag, shared.squares[0], warp, lane);
    MARK(step.layer_count, 0);
    unsigned long long highest = 0;
    int to = 0;
#pragma unroll 1
    for (int at = 0; at < head.count; at += HEAD_ROWS, to = HEAD_ROWS - to) {
        const int count = min(HEAD_ROWS, head.count - at);
        const float scale = scale_of<S>(step.head, head.from + at + row, row < count);
        multiply<S>(ring, shared.gate_up, to, count, operand, warp, lane);
        sync_computing();
        if (row < HEAD_ROWS) {
            const float logit = shared.gate_up.join(to + row) * scale * norm_factor<S>(shared.squares[0], step.epsilon);
            if (first && row < count) {
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
    decode<Shape<Bf16, 896, 4864, 14, 2, 64>>(step);
}
extern "C" __global__ void __launch_bounds__(THREADS + 32, 1) decode8_896_4864_14_2_64(const __grid_constant__ Step step) {
    decode<Shape<Int8, 896, 4864, 14, 2, 64>>(step);
}
