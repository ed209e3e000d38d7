/* Random frames for ingest/native/scan.c, in buffers of exactly their size, so that sanitizers see every byte too far.
 *
 * cc -fsanitize=address,undefined -DSCAN='"ingest/native/scan.c"' -o fuzz_scan tests/fuzz/fuzz_scan.c
 * ./fuzz_scan SECONDS SEED      prints how many calls were made */

#include SCAN

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state;

static uint64_t dice(uint64_t sides) /* xorshift64* (Vigna) */
{
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (state * 2685821657736338717ull >> 33) % sides;
}

static void put(uint8_t *p, uint64_t value, unsigned bytes)
{
    while (bytes--)
        *p++ = (uint8_t)(value >> 8 * bytes);
}

/* Frames that mostly fit one another, into `room` bytes; returns where they end. */
static uint64_t film(uint8_t *data, uint64_t room, struct track *t)
{
    uint64_t at = 0, number = (uint64_t)t->expected, stamp = t->stamp;
    int place = 0, fragments = 0;
    while (at + 64 < room) {
        if (place == fragments)
            place = 0, fragments = 1 + (int)dice(5), stamp += 3600ull << 32;
        uint64_t size = dice(50), length = 12 + (t->skip - 16) + size;
        int last = place == fragments - 1;
        if (at + HEAD_BYTES + length > room)
            break;
        put(data + at, t->lead, 2), put(data + at + 2, length, 2);
        put(data + at + 4, t->plain | (last ? MARKER : 0), 2), put(data + at + 6, number++ & NUMBERS, 2);
        put(data + at + 8, stamp, 8);
        uint64_t header = t->pattern | (t->skip == 19 ? 0x100 : 0) | 1;
        header ^= place ? FIRST : 0, header |= place && last ? LAST : 0;
        put(data + at + 16, header, (unsigned)(t->skip - 16));
        for (uint64_t n = at + t->skip; n < at + HEAD_BYTES + length; n++)
            data[n] = (uint8_t)dice(256);
        if (dice(20) == 0)
            data[at + dice(HEAD_BYTES + length)] ^= (uint8_t)(1 << dice(8));
        at += HEAD_BYTES + length;
        place++;
    }
    return at;
}

int main(int argc, char **argv)
{
    time_t until = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
    unsigned long made = 0;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) * 0x9E3779B97F4A7C15ull : 1;
    while (time(NULL) < until) {
        int h265 = (int)dice(2);
        struct track t = {.lead = 0x2400, .plain = 0x8060, .skip = h265 ? 19 : 18, .shift = h265 ? 8 : 16,
                          .mask = h265 ? 0xFFF8C0 : 0x9FE0, .pattern = h265 ? 0x620080 : 0x1C80,
                          .kind = h265 ? 0x3F : 0x1F, .slices = 0x3E, .stamp = dice(1u << 30) << 34 | 7,
                          .expected = (int64_t)dice(NUMBERS + 1), .middle = -1,
                          .flags = dice(8) ? FINISHED | MAY_BEGIN : dice(8)};
        uint64_t room = dice(2000) + 1, end, after, most = dice(5) + 1;
        uint8_t *scratch = calloc(1, room + 64);
        end = film(scratch, room, &t);
        end = dice(3) ? end : dice(end + 1);
        uint8_t *data = malloc(end ? end : 1); /* exactly what was received */
        struct row *rows = malloc(most * sizeof *rows);
        memcpy(data, scratch, end);
        int64_t count = tallenne_scan(data, 0, end, &t, rows, (int64_t)most, &after);
        if (count < 0 || count > (int64_t)most || after > end)
            return printf("%lld rows up to %llu of %llu\n", (long long)count, (unsigned long long)after,
                          (unsigned long long)end), 1;
        for (int64_t n = 0; n < count; n++)
            if (rows[n].begin > rows[n].end || rows[n].end > after || (n && rows[n].begin < rows[n - 1].end))
                return printf("row %lld lies outside\n", (long long)n), 1;
        free(scratch), free(data), free(rows);
        made++;
    }
    return printf("%lu\n", made) < 0;
}
