#include "parquet/thrift.h"

#include <assert.h>

struct pncp_thrift_reader pncp_thrift_open(struct pncp_view bytes)
{
    return (struct pncp_thrift_reader){.begin = bytes.data, .at = bytes.data, .end = bytes.data + bytes.len};
}

static unsigned char take_byte(struct pncp_thrift_reader *reader)
{
    if (reader->failed || reader->at == reader->end) {
        reader->failed = true;
        return 0;
    }
    return (unsigned char)*reader->at++;
}

static uint64_t take_varint(struct pncp_thrift_reader *reader)
{
    uint64_t value = 0;
    if (!reader->failed && reader->at < reader->end && (*reader->at & 0x80) == 0) /* most are small */
        return (unsigned char)*reader->at++;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char byte = take_byte(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return reader->failed ? 0 : value;
    }
    reader->failed = true;
    return 0;
}

static int64_t take_zigzag(struct pncp_thrift_reader *reader)
{
    uint64_t value = take_varint(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

bool pncp_thrift_next(struct pncp_thrift_reader *reader, struct pncp_thrift_field *field)
{
    const char *header = reader->at;
    unsigned char byte = take_byte(reader);
    unsigned type = byte & 0x0F;
    if (reader->failed || type == PNCP_THRIFT_STOP)
        return false;
    int64_t id = byte >> 4 != 0 ? field->id + (byte >> 4) : take_zigzag(reader);
    if (reader->failed || type > PNCP_THRIFT_STRUCT || id <= field->id || id > INT16_MAX) {
        reader->failed = true;
        return false;
    }
    *field = (struct pncp_thrift_field){.id = (int16_t)id, .type = (enum pncp_thrift_type)type, .header = header};
    return true;
}

int64_t pncp_thrift_int(struct pncp_thrift_reader *reader, enum pncp_thrift_type type)
{
    int64_t value = take_zigzag(reader);
    bool fits = type == PNCP_THRIFT_I64 || (type == PNCP_THRIFT_I32 && value >= INT32_MIN && value <= INT32_MAX) ||
                (type == PNCP_THRIFT_I16 && value >= INT16_MIN && value <= INT16_MAX);
    if (!fits)
        reader->failed = true;
    return reader->failed ? 0 : value;
}

struct pncp_view pncp_thrift_binary(struct pncp_thrift_reader *reader)
{
    uint64_t len = take_varint(reader);
    if (reader->failed || len > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        return (struct pncp_view){"", 0};
    }
    struct pncp_view bytes = {reader->at, (size_t)len};
    reader->at += len;
    return bytes;
}

size_t pncp_thrift_list(struct pncp_thrift_reader *reader, enum pncp_thrift_type *ret_element)
{
    unsigned char byte = take_byte(reader);
    uint64_t count = byte >> 4 == 15 ? take_varint(reader) : byte >> 4;
    *ret_element = (enum pncp_thrift_type)(byte & 0x0F);
    /* each element has a byte at least: a count beyond the bytes left is a lie */
    if (reader->failed || *ret_element > PNCP_THRIFT_STRUCT || (*ret_element == PNCP_THRIFT_STOP && count > 0) ||
        count > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        return 0;
    }
    return (size_t)count;
}

static void skip_bytes(struct pncp_thrift_reader *reader, size_t bytes)
{
    if (reader->failed || bytes > (size_t)(reader->end - reader->at))
        reader->failed = true;
    else
        reader->at += bytes;
}

static void skip_value(struct pncp_thrift_reader *reader, enum pncp_thrift_type type, unsigned depth);

static void skip_struct(struct pncp_thrift_reader *reader, unsigned depth)
{
    struct pncp_thrift_field field = {0};
    while (pncp_thrift_next(reader, &field))
        skip_value(reader, field.type, depth);
}

static void skip_list(struct pncp_thrift_reader *reader, unsigned depth)
{
    enum pncp_thrift_type element;
    size_t count = pncp_thrift_list(reader, &element);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        if (element == PNCP_THRIFT_TRUE || element == PNCP_THRIFT_FALSE)
            skip_bytes(reader, 1); /* in a list a boolean is a byte */
        else
            skip_value(reader, element, depth);
    }
}

static void skip_value(struct pncp_thrift_reader *reader, enum pncp_thrift_type type, unsigned depth)
{
    if (depth == PNCP_THRIFT_DEPTH_MAX) {
        reader->failed = true;
        return;
    }
    switch (type) {
    case PNCP_THRIFT_TRUE:
    case PNCP_THRIFT_FALSE:
        break;
    case PNCP_THRIFT_BYTE:
        skip_bytes(reader, 1);
        break;
    case PNCP_THRIFT_I16:
    case PNCP_THRIFT_I32:
    case PNCP_THRIFT_I64:
        (void)take_varint(reader);
        break;
    case PNCP_THRIFT_DOUBLE:
        skip_bytes(reader, 8);
        break;
    case PNCP_THRIFT_BINARY:
        (void)pncp_thrift_binary(reader);
        break;
    case PNCP_THRIFT_LIST:
    case PNCP_THRIFT_SET:
        skip_list(reader, depth + 1);
        break;
    case PNCP_THRIFT_STRUCT:
        skip_struct(reader, depth + 1);
        break;
    case PNCP_THRIFT_STOP:
    case PNCP_THRIFT_MAP: /* Parquet has none */
        reader->failed = true;
        break;
    }
}

void pncp_thrift_skip(struct pncp_thrift_reader *reader, enum pncp_thrift_type type)
{
    skip_value(reader, type, 0);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_bytes(struct pncp_thrift_writer *writer, const void *bytes, size_t count)
{
    if (writer->rc == PNCP_OK)
        writer->rc = pncp_buf_append(writer->out, bytes, count);
}

static void put_byte(struct pncp_thrift_writer *writer, unsigned byte)
{
    unsigned char narrow = (unsigned char)byte;
    put_bytes(writer, &narrow, 1);
}

static void put_varint(struct pncp_thrift_writer *writer, uint64_t value)
{
    unsigned char bytes[10];
    size_t count = 0;
    do {
        bytes[count++] = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
    } while (value != 0);
    put_bytes(writer, bytes, count);
}

void pncp_thrift_put_raw(struct pncp_thrift_writer *writer, struct pncp_view bytes)
{
    put_bytes(writer, bytes.data, bytes.len);
}

void pncp_thrift_put_int(struct pncp_thrift_writer *writer, int64_t value)
{
    put_varint(writer, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

void pncp_thrift_put_binary(struct pncp_thrift_writer *writer, struct pncp_view bytes)
{
    put_varint(writer, bytes.len);
    put_bytes(writer, bytes.data, bytes.len);
}

void pncp_thrift_put_list(struct pncp_thrift_writer *writer, enum pncp_thrift_type element, size_t count)
{
    put_byte(writer, (count < 15 ? (unsigned)count << 4 : 0xF0U) | (unsigned)element);
    if (count >= 15)
        put_varint(writer, count);
}

void pncp_thrift_put_field(struct pncp_thrift_writer *writer, int16_t id, enum pncp_thrift_type type)
{
    int delta = id - writer->last;
    assert(delta > 0);
    put_byte(writer, (delta < 16 ? (unsigned)delta << 4 : 0U) | (unsigned)type);
    if (delta >= 16)
        pncp_thrift_put_int(writer, id);
    writer->last = id;
}

void pncp_thrift_put_int_field(struct pncp_thrift_writer *writer, int16_t id, enum pncp_thrift_type type, int64_t value)
{
    pncp_thrift_put_field(writer, id, type);
    pncp_thrift_put_int(writer, value);
}

int16_t pncp_thrift_struct_begin(struct pncp_thrift_writer *writer)
{
    int16_t outer = writer->last;
    writer->last = 0;
    return outer;
}

void pncp_thrift_struct_end(struct pncp_thrift_writer *writer, int16_t outer)
{
    put_byte(writer, PNCP_THRIFT_STOP);
    writer->last = outer;
}
