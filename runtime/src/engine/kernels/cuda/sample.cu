// From logits to tokens without the host: masks as bits, penalties and biases as short lists, temperature, top-k, top-p,
// min-p and seed, as engine/sampler has them. Weights are whole numbers, so that sums do not depend on their order: the
// same logits and the same random number always give the same token.
#include <cstdint>
#include "select.cuh"

// Parts that a row of logits is surveyed in, a block each; these agree with `cuda/sample.rs`.
constexpr int PARTS = 32;
constexpr int SURVEYORS = 256;
constexpr int MOST_TOP = 20;
// A weight of 1 as a whole number: 2^17 tokens and more of it have a sum.
constexpr float ONE = 1099511627776.0f;

// How the token of one row is chosen.
struct Ask {
    unsigned long long random;
    // Its row of logits; words of its mask begin at `mask` if it has one; its changes at `changes`.
    uint32_t row, is_masked, mask, changes, change_count;
    // Likeliest tokens that are wanted beside it.
    uint32_t top;
    // 0 is no limit.
    uint32_t top_k;
    float temperature, top_p, min_p, repetition;
    // Where the token goes for the next step.
    uint32_t place;
};

// What penalties and biases do to a token's logit.
struct Change {
    uint32_t id, is_repeated;
    float penalty, bias;
};

struct Part {
    unsigned long long best;
    float highest, sum;
    uint32_t unsound;
    float unsound_value;
};

enum Status : uint32_t { CHOSEN = 0, NOTHING_ALLOWED = 1, NOT_FINITE = 2 };

struct Answer {
    uint32_t id, status;
    // The logit before any change (or the value that is not finite), and the logarithm of the sum of all exponentials.
    float logit, scale;
};

__device__ inline bool bit(const uint32_t* bits, uint32_t id) { return bits[id / 32] >> id % 32 & 1; }

// One row of logits as the model made them, without what stands for no token, and without what its mask forbids.
struct Row {
    const float* logits;
    const uint32_t* known;
    const uint32_t* mask;
    __device__ float raw(uint32_t id) const { return bit(known, id) ? logits[id] : -INFINITY; }
    __device__ float allowed(uint32_t id) const { return !mask || bit(mask, id) ? raw(id) : -INFINITY; }
};

__device__ inline Row row_of(const Ask& ask, const float* logits, const uint32_t* known, const uint32_t* masks, int vocabulary) {
    return {logits + (size_t)ask.row * vocabulary, known, ask.is_masked ? masks + ask.mask : nullptr};
}

// Of each part of each row: the sum of exponentials before any change (`scales`), and the best token that is allowed. Parts
// are whole words of bits; a thread has four tokens at a time.
extern "C" __global__ void __launch_bounds__(SURVEYORS) survey(const Ask* asks, const float* logits, const uint32_t* known,
                                                               const uint32_t* masks, Part* parts, int vocabulary,
                                                               int scales) {
    const Row row = row_of(asks[blockIdx.y], logits, known, masks, vocabulary);
    const int size = (vocabulary + PARTS * 32 - 1) / (PARTS * 32) * 32;
    const int from = blockIdx.x * size, to = min(from + size, vocabulary);
    const bool is_aligned = vocabulary % 4 == 0;
    float highest = -INFINITY, sum = 0, unsound_value = 0, top = -INFINITY;
    uint32_t top_id = 0;
    bool unsound = false;
#pragma unroll 2
    for (int id = from + threadIdx.x * 4; id < to; id += SURVEYORS * 4) {
        float x[4];
        if (is_aligned) {
            const float4 four = *(const float4*)(row.logits + id);
            x[0] = four.x, x[1] = four.y, x[2] = four.z, x[3] = four.w;
        } else {
#pragma unroll
            for (int i = 0; i < 4; i++) x[i] = id + i < to ? row.logits[id + i] : -INFINITY;
        }
        uint32_t bits = row.known[id / 32] >> id % 32;
        if (scales) {
            float most = highest;
#pragma unroll
            for (int i = 0; i < 4; i++)
                if (bits >> i & 1) most = fmaxf(most, x[i]);
            if (most > -INFINITY) {
                sum *= __expf(highest - most);
                highest = most;
#pragma unroll
                for (int i = 0; i < 4; i++) sum += bits >> i & 1 ? __expf(x[i] - most) : 0;
            }
        }
        if (row.mask) bits &= row.mask[id / 32] >> id % 32;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            if (!(bits >> i & 1)) continue;
            // The first of the largest: ids only grow.
            if (x[i] > top) top = x[i], top_id = id + i;
            // NaN and infinity alike.
            if (!(x[i] < INFINITY)) unsound = true, unsound_value = x[i];
        }
    }
    unsigned long long best = top > -INFINITY ? (unsigned long long)order(top) << 32 | (uint32_t)~top_id : 0;
    __shared__ Part warps[SURVEYORS / 32];
    for (int i = 16; i > 0; i /= 2) {
        const float other = __shfl_xor_sync(~0u, highest, i), others = __shfl_xor_sync(~0u, sum, i);
        const float most = fmaxf(highest, other);
        sum = most == -INFINITY ? 0 : sum * __expf(highest - most) + others * __expf(other - most);
        highest = most;
        best = max(best, __shfl_xor_sync(~0u, best, i));
        const float value = __shfl_xor_sync(~0u, unsound_value, i);
        if (__shfl_xor_sync(~0u, unsound, i) && !unsound) unsound = true, unsound_value = value;
    }
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = {best, highest, sum, unsound, unsound_value};
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (int w = 1; w < SURVEYORS / 32; w++) {
        const Part& other = warps[w];
        const float most = fmaxf(highest, other.highest);
        sum = most == -INFINITY ? 0 : sum * __expf(highest - most) + other.sum * __expf(other.highest - most);
        highest = most;
        best = max(best, other.best);
        if (other.unsound && !unsound) unsound = true, unsound_value = other.unsound_value;
    }
    Part& part = parts[blockIdx.y * PARTS + blockIdx.x];
    part.best = best, part.unsound = unsound, part.unsound_value = unsound_value;
    if (scales) part.highest = highest, part.sum = sum;
}

// Changes logits in place and keeps what they were. A row's changes are of different tokens, and no two rows are one.
extern "C" __global__ void adjust(const Ask* asks, float* logits, const Change* changes, float* before, int vocabulary) {
    const Ask& ask = asks[blockIdx.x];
    float* row = logits + (size_t)ask.row * vocabulary;
    for (uint32_t i = ask.changes + threadIdx.x; i < ask.changes + ask.change_count; i += blockDim.x) {
        const Change change = changes[i];
        float x = row[change.id];
        before[i] = x;
        if (change.is_repeated) x = x > 0 ? x / ask.repetition : x * ask.repetition;
        row[change.id] = x - change.penalty + change.bias;
    }
}

// The likeliest tokens before any change, in no order: ids and logits, fewer where others are ruled out.
extern "C" __global__ void __launch_bounds__(CHOOSERS) likeliest(const Ask* asks, const float* logits, const uint32_t* known,
                                                                 uint2* tops, int vocabulary) {
    __shared__ Shared shared;
    __shared__ uint32_t above;
    const Ask& ask = asks[blockIdx.x];
    if (ask.top == 0) return;
    const Row row = row_of(ask, logits, known, nullptr, vocabulary);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    uint2* top = tops + blockIdx.x * MOST_TOP;
    if (threadIdx.x < MOST_TOP) top[threadIdx.x] = make_uint2(~0u, 0);
    if (threadIdx.x == 0) above = 0;
    uint32_t key;
    Sum ties;
    const auto counted = [&](int id) { return row.logits[id] > -INFINITY && bit(known, id) ? (Sum)1 : (Sum)0; };
    select(shared, vocabulary, ask.top, [&](int id) { return order(row.logits[id]); }, counted, key, ties);
    __syncthreads();
    // Those above the threshold, then those that equal it by their ids: there are few.
    for (int first = 0; first < vocabulary; first += CHOOSERS) {
        const int id = first + threadIdx.x;
        const bool is_in = id < vocabulary && counted(id) > 0;
        const uint32_t o = is_in ? order(row.logits[id]) : 0;
        if (is_in && o > key) {
            const uint32_t at = atomicAdd(&above, 1);
            if (at < MOST_TOP) top[at] = make_uint2(id, __float_as_uint(row.logits[id]));
        }
        const uint32_t tied = __ballot_sync(~0u, is_in && o == key && ties > 0);
        if (lane == 0) shared.ties[warp] = __popc(tied);
        __syncthreads();
        uint32_t rank = __popc(tied & ((1u << lane) - 1)), all = 0;
        for (int w = 0; w < WARPS; w++) {
            rank += w < warp ? shared.ties[w] : 0;
            all += shared.ties[w];
        }
        const uint32_t at = ask.top - (uint32_t)ties + rank;
        if (tied >> lane & 1 && rank < ties && at < MOST_TOP) top[at] = make_uint2(id, __float_as_uint(row.logits[id]));
        ties -= min((Sum)all, ties);
        __syncthreads();
    }
}

// What may be drawn: above a threshold, and the first few that equal it.
struct Draw {
    Row row;
    float best, temperature, min_p;
    uint32_t key;
    Sum ties;
    __device__ Sum weight(float x) const {
        if (!(x > -INFINITY)) return 0;
        const float weight = expf((x - best) / temperature);
        return weight >= min_p ? (Sum)fminf(weight * ONE, ONE - 131072.0f) : 0;
    }
    __device__ bool is_above(float x) const { return order(x) > key; }
    __device__ bool is_tie(float x) const { return ties > 0 && order(x) == key; }
};

// The token that a random number falls on, in the order of the ids.
__device__ uint32_t draw(Shared& shared, const Draw& draw, unsigned long long random, int vocabulary, uint32_t fallback) {
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const Sum tie_weight = draw.ties > 0 ? draw.weight(number(draw.key)) : 0;
    if (threadIdx.x == 0) shared.from = 0, shared.to = vocabulary, shared.tie = 0, shared.rest = ~(Sum)0;
    __syncthreads();
    for (;;) {
        const uint32_t from = shared.from, to = shared.to, size = (to - from + WARPS - 1) / WARPS;
        const uint32_t begin = min(from + warp * size, to), end = min(begin + size, to);
        Sum sum = 0;
        uint32_t ties = 0;
        for (uint32_t id = begin + lane; id < end; id += 32) {
            const float x = draw.row.allowed(id);
            if (draw.is_above(x)) sum += draw.weight(x);
            else if (draw.is_tie(x)) ties++;
        }
        sum = warp_total(sum);
        ties = (uint32_t)warp_total(ties);
        __syncthreads();
        if (lane == 0) shared.warps[warp] = sum, shared.ties[warp] = ties;
        __syncthreads();
        if (threadIdx.x == 0) {
            uint32_t seen = shared.tie;
            for (int w = 0; w < WARPS; w++) {
                const uint32_t admitted = seen < draw.ties ? min(shared.ties[w], (uint32_t)draw.ties - seen) : 0;
                shared.warps[w] += admitted * tie_weight;
                seen += shared.ties[w];
            }
            if (shared.rest == ~(Sum)0) {
                Sum total = 0;
                for (int w = 0; w < WARPS; w++) total += shared.warps[w];
                // 53 bits, as on the CPU.
                shared.rest = __umul64hi(random >> 11 << 11, total);
            }
            int w = 0;
            seen = shared.tie;
            while (w < WARPS - 1 && shared.rest >= shared.warps[w]) {
                shared.rest -= shared.warps[w];
                seen += shared.ties[w];
                w++;
            }
            const uint32_t begin = min(from + w * size, to);
            shared.from = begin, shared.to = min(begin + size, to), shared.tie = seen;
        }
        __syncthreads();
        if (shared.to - shared.from <= 1) break;
    }
    return shared.from < shared.to ? shared.from : fallback;
}

// Chooses each row's token from what the survey found; a block a row. The token goes to the next step's ids, and the row's
// position goes on, where there are places for them.
extern "C" __global__ void __launch_bounds__(CHOOSERS) choose(const Ask* asks, const float* logits, const uint32_t* known,
                                                              const uint32_t* masks, const Part* parts,
                                                              const Change* changes, const float* before, Answer* answers,
                                                              uint32_t* next_ids, uint32_t* next_positions, int vocabulary) {
    __shared__ Shared shared;
    __shared__ Part whole;
    __shared__ float changed;
    __shared__ uint32_t is_changed;
    const Ask ask = asks[blockIdx.x];
    const Row row = row_of(ask, logits, known, masks, vocabulary);
    if (threadIdx.x < 32) {
        Part part = parts[blockIdx.x * PARTS + threadIdx.x];
        for (int i = 16; i > 0; i /= 2) {
            const float other = __shfl_xor_sync(~0u, part.highest, i), others = __shfl_xor_sync(~0u, part.sum, i);
            const float most = fmaxf(part.highest, other);
            part.sum = most == -INFINITY ? 0 : part.sum * __expf(part.highest - most) + others * __expf(other - most);
            part.highest = most;
            part.best = max(part.best, __shfl_xor_sync(~0u, part.best, i));
            const float value = __shfl_xor_sync(~0u, part.unsound_value, i);
            if (__shfl_xor_sync(~0u, part.unsound, i) && !part.unsound) part.unsound = 1, part.unsound_value = value;
        }
        if (threadIdx.x == 0) whole = part, is_changed = 0;
    }
    __syncthreads();
    uint32_t id = ~(uint32_t)whole.best;
    const Status status = whole.unsound ? NOT_FINITE : whole.best == 0 ? NOTHING_ALLOWED : CHOSEN;
    if (status == CHOSEN && ask.temperature > 0) {
        Draw all{row, number((uint32_t)(whole.best >> 32)), ask.temperature, 0, 0, 0};
        const auto order_of = [&](int id) { return order(row.allowed(id)); };
        if (ask.top_k > 0) {
            select(shared, vocabulary, ask.top_k, order_of,
                   [&](int id) { return row.allowed(id) > -INFINITY ? (Sum)1 : (Sum)0; }, all.key, all.ties);
            __syncthreads();
        }
        if (ask.top_p < 1) {
            Sum own = 0;
            for (int id = threadIdx.x; id < vocabulary; id += CHOOSERS) {
                const float x = row.allowed(id);
                if (all.is_above(x)) own += all.weight(x);
            }
            Sum total = block_total(shared, own);
            const Sum tie = all.ties > 0 ? all.weight(number(all.key)) : 0;
            total += all.ties * tie;
            const Sum wanted = max((Sum)ceil(total * (double)ask.top_p), (Sum)1);
            uint32_t key;
            Sum left;
            select(shared, vocabulary, wanted, order_of,
                   [&](int id) {
                       const float x = row.allowed(id);
                       return all.is_above(x) || all.is_tie(x) ? all.weight(x) : (Sum)0;
                   },
                   key, left);
            __syncthreads();
            // With rounding the whole can be less than is wanted of it: then all stay.
            if (key > 0) {
                const Sum weight = max(all.weight(number(key)), (Sum)1), needed = (left + weight - 1) / weight;
                all.ties = key == all.key ? min(all.ties, needed) : needed;
                all.key = key;
            }
        }
        all.min_p = ask.min_p;
        id = draw(shared, all, ask.random, vocabulary, id);
    }
    for (uint32_t i = ask.changes + threadIdx.x; i < ask.changes + ask.change_count; i += CHOOSERS) {
        if (changes[i].id == id) changed = before[i], is_changed = 1;
    }
    __syncthreads();
    if (threadIdx.x > 0) return;
    const float logit = status == NOT_FINITE ? whole.unsound_value
                        : status == CHOSEN   ? is_changed ? changed : row.logits[id]
                                             : 0;
    answers[blockIdx.x] = {id, status, logit, whole.highest + logf(whole.sum)};
    if (next_ids && status == CHOSEN) {
        next_ids[ask.place] = id;
        if (next_positions) next_positions[ask.place] += 1;
    }
}
