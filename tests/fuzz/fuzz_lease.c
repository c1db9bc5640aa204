/*
 * The lease of a day.
 * Input: the object's text.
 * True: what holds at a moment holds at every earlier one and not for ever; what holds says so as JSON with a time.
 */
#include "fuzz.h"
#include "lake/lake_int.h"

#define NEVER_S INT64_C(253402300800) /* the year 10000 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pncp_view text = {(const char *)data, size};
    AUTO(pncp_free_ptr) char *exact = fuzz_exact(text);
    text.data = exact;
    FUZZ_CHECK(!pncp_lease_holds(text, NEVER_S));
    int64_t low = -NEVER_S, high = NEVER_S; /* the moment at which it ends */
    if (!pncp_lease_holds(text, low))
        return 0;
    FUZZ_CHECK(memmem(text.data, text.len, "expires_at", 10) != NULL || memchr(text.data, '\\', text.len) != NULL);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (pncp_lease_holds(text, middle))
            low = middle;
        else
            high = middle;
    }
    FUZZ_CHECK(pncp_lease_holds(text, low - 1) && !pncp_lease_holds(text, high) && !pncp_lease_holds(text, high + 1));
    return 0;
}
