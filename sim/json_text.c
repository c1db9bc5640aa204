#include "json_text.h"

void sim_text_release(struct sim_text *text)
{
    pncp_buf_release(&text->buf);
    text->failed = false;
}

void sim_text_clear(struct sim_text *text)
{
    pncp_buf_clear(&text->buf);
    text->failed = false;
}

void sim_text_grow(struct sim_text *text, size_t more)
{
    if (!text->failed && pncp_buf_reserve(&text->buf, more) != PNCP_OK)
        text->failed = true;
}

void sim_text_u64_padded(struct sim_text *text, uint64_t value, unsigned digits)
{
    char tmp[20];
    size_t at = sizeof(tmp);

    do {
        tmp[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value != 0);
    while (at > 0 && sizeof(tmp) - at < digits)
        tmp[--at] = '0';
    sim_text_put(text, tmp + at, sizeof(tmp) - at);
}

void sim_text_u64(struct sim_text *text, uint64_t value)
{
    sim_text_u64_padded(text, value, 1);
}

void sim_text_i64(struct sim_text *text, int64_t value)
{
    if (value < 0)
        SIM_PUT(text, "-");
    sim_text_u64(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void sim_text_decimal(struct sim_text *text, int64_t value, unsigned scale, unsigned decimals_min)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t unit = 1;

    for (unsigned i = 0; i < scale; i++)
        unit *= 10;
    if (value < 0)
        SIM_PUT(text, "-");
    sim_text_u64(text, magnitude / unit);

    uint64_t fraction = magnitude % unit;
    while (scale > decimals_min && fraction % 10 == 0) {
        fraction /= 10;
        scale--;
    }
    if (scale == 0)
        return;
    SIM_PUT(text, ".");
    sim_text_u64_padded(text, fraction, scale);
}

void sim_text_bool(struct sim_text *text, bool value)
{
    if (value)
        SIM_PUT(text, "true");
    else
        SIM_PUT(text, "false");
}

void sim_text_string(struct sim_text *text, struct pncp_view value)
{
    static const char HEX[] = "0123456789abcdef";
    size_t run = 0;

    SIM_PUT(text, "\"");
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        sim_text_put(text, value.data + run, i - run);
        run = i + 1;
        char escape[6] = {'\\', 'u', '0', '0', HEX[c >> 4], HEX[c & 15]};
        size_t escape_len = 2;
        switch (c) {
        case '"':
        case '\\':
            escape[1] = (char)c;
            break;
        case '\n':
            escape[1] = 'n';
            break;
        case '\r':
            escape[1] = 'r';
            break;
        case '\t':
            escape[1] = 't';
            break;
        default:
            escape_len = 6;
        }
        sim_text_put(text, escape, escape_len);
    }
    sim_text_put(text, value.data + run, value.len - run);
    SIM_PUT(text, "\"");
}

void sim_text_datetime(struct sim_text *text, struct pncp_date date, uint32_t second)
{
    int year, month, day;

    date.days += (int32_t)(second / 86400);
    second %= 86400;
    pncp_date_to_civil(date, &year, &month, &day);

    SIM_PUT(text, "\"");
    sim_text_u64_padded(text, (uint64_t)year, 4);
    SIM_PUT(text, "-");
    sim_text_u64_padded(text, (uint64_t)month, 2);
    SIM_PUT(text, "-");
    sim_text_u64_padded(text, (uint64_t)day, 2);
    SIM_PUT(text, "T");
    sim_text_u64_padded(text, second / 3600, 2);
    SIM_PUT(text, ":");
    sim_text_u64_padded(text, second / 60 % 60, 2);
    SIM_PUT(text, ":");
    sim_text_u64_padded(text, second % 60, 2);
    SIM_PUT(text, "\"");
}
