/*
 * The XML of a store's answers.
 * Input: the answer.
 * True: what is found lies in the answer, in order, between its element's two ends, and none is found twice.
 */
#include "fuzz.h"
#include "lake/s3_xml.h"

static void check_element(struct pncp_view text, const char *name)
{
    struct pncp_view rest = text, found;
    char begin[40], end[40];
    (void)snprintf(begin, sizeof(begin), "<%s>", name);
    (void)snprintf(end, sizeof(end), "</%s>", name);
    for (const char *from = text.data; pncp_s3_xml_next(&rest, name, &found); from = rest.data) {
        FUZZ_CHECK(found.data >= from + strlen(begin) && found.data + found.len + strlen(end) == rest.data);
        FUZZ_CHECK(memcmp(found.data - strlen(begin), begin, strlen(begin)) == 0);
        FUZZ_CHECK(memcmp(found.data + found.len, end, strlen(end)) == 0);
        FUZZ_CHECK(rest.data + rest.len == text.data + text.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pncp_view text = {(const char *)data, size};
    AUTO(pncp_free_ptr) char *exact = fuzz_exact(text);
    text.data = exact;
    check_element(text, "Key");
    check_element(text, "Contents");
    check_element(text, "E");
    return 0;
}
