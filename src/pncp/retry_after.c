#include "base/clock.h"
#include "pncp/verdict.h"

#include <string.h>

#define RETRY_AFTER_MAX_S 86400

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7, IMF-fixdate). */
static bool parse_fixdate(struct pncp_view text, int64_t *ret_us)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.len != 29 || memcmp(text.data + 3, ", ", 2) != 0 || text.data[7] != ' ' || text.data[11] != ' ' ||
        text.data[16] != ' ' || memcmp(text.data + 25, " GMT", 4) != 0)
        return false;
    int month = 0;
    for (int i = 0; i < 12; i++)
        month = memcmp(months + 3 * i, text.data + 8, 3) == 0 ? i + 1 : month;
    char iso[20] = "YYYY-MM-DDThh:mm:ss";
    if (month == 0)
        return false;
    memcpy(iso, text.data + 12, 4);
    iso[5] = (char)('0' + month / 10);
    iso[6] = (char)('0' + month % 10);
    memcpy(iso + 8, text.data + 5, 2);
    memcpy(iso + 11, text.data + 17, 8);
    return pncp_datetime_parse((struct pncp_view){iso, 19}, ret_us);
}

int64_t pncp_retry_after_parse(struct pncp_view text, int64_t now_us)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct pncp_view){text.data + 1, text.len - 1};
    while (text.len > 0 &&
           (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t' || text.data[text.len - 1] == '\r'))
        text.len--;
    uint64_t seconds;
    int64_t at_us;
    if (pncp_view_u64(text, &seconds))
        return (int64_t)PNCP_MIN(seconds, (uint64_t)RETRY_AFTER_MAX_S);
    if (!parse_fixdate(text, &at_us))
        return -1;
    int64_t wait_s = (at_us - now_us + 999999) / 1000000;
    return PNCP_MIN(PNCP_MAX(wait_s, (int64_t)0), (int64_t)RETRY_AFTER_MAX_S);
}
