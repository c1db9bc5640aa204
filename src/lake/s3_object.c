#include "lake/s3_object.h"
#include "lake/lake_int.h"

#include <stdio.h>

void pncp_s3_range(uint64_t from, uint64_t len, char ret_text[PNCP_S3_RANGE_BYTES])
{
    (void)snprintf(ret_text, PNCP_S3_RANGE_BYTES, "bytes=%" PRIu64 "-%" PRIu64, from, from + len - 1);
}

struct pncp_sigv4_pair pncp_s3_condition(const struct pncp_version *expected)
{
    return expected->text[0] == '\0' ? (struct pncp_sigv4_pair){"if-none-match", "*"}
                                     : (struct pncp_sigv4_pair){"if-match", expected->text};
}

enum pncp_code pncp_s3_ask_good(struct pncp_lake *lake, const struct pncp_s3_request *request,
                                struct pncp_s3_answer *ret_answer, struct pncp_err *err)
{
    enum pncp_code rc = pncp_s3_ask(lake->s3, request, ret_answer, err);
    if (rc == PNCP_OK && (ret_answer->status < 200 || ret_answer->status > 299))
        rc = pncp_s3_refused(lake->s3, request, ret_answer, err);
    if (rc != PNCP_OK)
        pncp_s3_answer_release(ret_answer);
    return rc;
}

enum pncp_code pncp_s3_unclear(const struct pncp_lake *lake, const char *path, const char *why, struct pncp_err *err)
{
    return pncp_err_transient(err, pncp_err_set(err, PNCP_E_UNAVAILABLE, "lake %s: %s: %s", lake->url, path, why));
}

/* On a condition a missing object and one that someone else is writing are a lost version, too. */
enum pncp_code pncp_s3_lost(const struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                            enum pncp_code rc, struct pncp_err *err)
{
    if (rc != PNCP_E_CONFLICT && (rc != PNCP_E_NOTFOUND || expected->text[0] == '\0'))
        return rc;
    return pncp_err_set(err, PNCP_E_CONFLICT, "lake %s: %s was changed by someone else", lake->url, path);
}

enum pncp_code pncp_s3_read_range(struct pncp_lake *lake, const char *path, const struct pncp_version *version,
                                  uint64_t from, uint64_t len, struct pncp_buf *ret_bytes, struct pncp_err *err)
{
    char range[PNCP_S3_RANGE_BYTES];
    pncp_s3_range(from, len, range);
    const struct pncp_s3_request request = {.method = "GET",
                                            .path = path,
                                            .headers = {{"range", range}, {"if-match", version->text}},
                                            .answer_max_bytes = (size_t)len};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return pncp_s3_lost(lake, path, version, rc, err);
    if (answer.object_bytes < from + len) {
        pncp_s3_answer_release(&answer);
        return pncp_err_set(err, PNCP_E_PARSE, "lake %s: %s has fewer bytes", lake->url, path);
    }
    if (answer.status != 206 || answer.from != from || answer.body.len != len) {
        rc = pncp_s3_unclear(lake, path, "the store gave other bytes than asked for", err);
        pncp_s3_answer_release(&answer);
        return rc;
    }
    pncp_buf_release(ret_bytes);
    *ret_bytes = pncp_buf_take(&answer.body);
    return PNCP_OK;
}

enum pncp_code pncp_s3_put_if(struct pncp_lake *lake, const char *path, const struct pncp_version *expected,
                              const struct pncp_s3_put *put, struct pncp_version *ret_version, struct pncp_err *err)
{
    const struct pncp_s3_request request = {
        .method = "PUT",
        .path = path,
        .headers = {pncp_s3_condition(expected), {put->id == NULL ? NULL : PNCP_S3_ID_HEADER, put->id}},
        .pieces = put->pieces,
        .piece_count = put->piece_count,
        .sent = put->sent,
        .once = true};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return pncp_s3_lost(lake, path, expected, rc, err);
    if (answer.etag[0] == '\0')
        rc = pncp_s3_unclear(lake, path, "the store did not say the new version", err);
    else
        (void)snprintf(ret_version->text, sizeof(ret_version->text), "%s", answer.etag);
    pncp_s3_answer_release(&answer);
    return rc;
}
