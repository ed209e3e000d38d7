/* The usual packets of a camera, taken together. reference.py does the same and says what for.
 *
 * A frame (RFC 2326, 10.12) is "$", channel, length in 2 bytes, and an RTP packet (RFC 3550, 5.1). Taken are the frames
 * of one channel that are followed by another frame, and whose packets have a plain header, the number that is due, and
 * a fragment of a NAL unit (RFC 6184, 5.8; RFC 7798, 4.4.3): a middle one, the last one with the marker, or the first
 * one of a slice that begins the next picture. Anything else ends the scan and is left to the caller.
 *
 * The data of a picture's packets are moved together within the buffer, over the headers between them. Nothing is
 * allocated, and nothing is kept from one call to the next: all state comes with the call, so that cameras cannot mix.
 * No byte is read at or beyond the end of what was received, and none is written but where a packet of this call lay. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DOLLAR 0x24u
#define HEAD_BYTES 4u /* of a frame */
#define LEAST_BYTES 20u /* of a frame whose packet has 4 bytes of payload */
#define MARKER 0x80u
#define NUMBERS 0xFFFFu
#define SOURCE 0xFFFFFFFFull /* of time and source, the SSRC */
#define FIRST 0x80u /* bits of the FU header: the NAL unit's first and last fragment */
#define LAST 0x40u
#define LAYER 0x700u /* in fragment headers of H.265 nuh_temporal_id_plus1, never 0; of H.264 a part of type 28 */

enum { FINISHED = 1, BY_TIME = 2, MAY_BEGIN = 4 };

struct track { /* of one camera; 8 bytes each, so that no compiler pads it */
    uint64_t lead;       /* "$" and the channel */
    uint64_t plain;      /* the first two bytes of a packet without padding, extension, sources and marker */
    uint64_t skip;       /* from a frame's begin to a fragment's data */
    uint64_t shift;      /* the fragment headers are the first (32 - shift) bits of the payload */
    uint64_t mask;       /* of fragment headers, that which must be ... */
    uint64_t pattern;    /* ... this, for the first fragment of a NAL unit */
    uint64_t kind;       /* mask of the NAL unit's type */
    uint64_t slices;     /* bit n: type n is a slice */
    uint64_t stamp;      /* time and source of the picture under way */
    int64_t expected;    /* the sequence number that is due; more than 16 bits: none */
    int64_t middle;      /* fragment headers that continue the NAL unit under way; -1: there is none */
    uint64_t flags;
};

struct row { /* what one picture got */
    int64_t header; /* fragment headers that begin it; -1: it was under way */
    uint64_t stamp;
    uint64_t begin, end; /* its data, in the buffer */
    uint64_t packets;
    uint64_t ends; /* with the marker */
};

static uint64_t number(const uint8_t *p, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes--)
        value = value << 8 | *p++;
    return value;
}

static int begins_slice(const struct track *t, uint64_t header)
{
    return (header & t->mask) == t->pattern && (header & LAYER) && (t->slices >> (header & t->kind) & 1);
}

/* Scan data[at:end]; return the number of rows, at most `most`, and at `after` the begin of the first frame that is not
 * taken. `data` has at least `end` bytes. */
int64_t tallenne_scan(uint8_t *data, uint64_t at, uint64_t end, const struct track *t, struct row *rows, int64_t most,
                      uint64_t *after)
{
    uint64_t stamp = t->stamp, expected = (uint64_t)t->expected, flags = t->flags;
    int64_t middle = t->middle, count = 0;
    struct row *row = NULL;

    while (at < end && end - at > LEAST_BYTES) {
        const uint8_t *frame = data + at;
        uint64_t length = number(frame + 2, 2), next = at + HEAD_BYTES + length;
        if (number(frame, 2) != t->lead || length <= t->skip || next >= end || data[next] != DOLLAR)
            break;
        uint64_t kind = number(frame + 4, 2), its = number(frame + 8, 8), header = number(frame + 16, 4) >> t->shift;
        int begins = 0, ends = 0;
        if (number(frame + 6, 2) != expected)
            break;
        if (its == stamp) {
            if (middle < 0 || (header != (uint64_t)middle && header != ((uint64_t)middle ^ LAST)))
                break;
            ends = header != (uint64_t)middle;
            if (kind != (ends ? t->plain | MARKER : t->plain) || (ends && flags & BY_TIME))
                break;
        } else {
            begins = (flags & FINISHED) && (flags & MAY_BEGIN) && kind == t->plain && !((its ^ stamp) & SOURCE) &&
                     begins_slice(t, header);
            if (!begins)
                break;
        }
        if (begins || row == NULL) {
            if (count == most)
                break;
            row = rows + count++;
            row->header = begins ? (int64_t)header : -1;
            row->stamp = its;
            row->begin = row->end = at + t->skip;
            row->packets = row->ends = 0;
        }
        if (begins) {
            stamp = its;
            middle = (int64_t)(header ^ FIRST);
            flags &= ~(uint64_t)FINISHED;
        }
        uint64_t size = next - at - t->skip;
        if (row->end != at + t->skip)
            memmove(data + row->end, data + at + t->skip, size);
        row->end += size;
        row->packets++;
        expected = (expected + 1) & NUMBERS;
        at = next;
        if (ends) {
            row->ends = 1;
            row = NULL;
            middle = -1;
            flags |= FINISHED;
        }
    }
    *after = at;
    return count;
}
