/*
 * Does the store keep its word? A store that takes a conditional write without looking at the condition loses commits
 * silently: MinIO before May 2024 did on Complete, and some imitations do on everything. A dozen requests with an
 * object of our own.
 */
#include "base/random.h"
#include "lake/lake_int.h"
#include "lake/s3_client.h"
#include "lake/s3_upload.h"
#include "lake/s3_xml.h"

#include <stdio.h>
#include <string.h>

#define STALE "\"00000000000000000000000000000000\"" /* the MD5 of nothing that anybody has stored */

struct check {
    struct pncp_lake *lake;
    pncp_finding_fn *tell;
    void *ctx;
    struct pncp_err *err;
    char path[96];
    bool refused;
    struct pncp_err refusal; /* the first */
};

static void found(struct check *check, enum pncp_finding_level level, const char *what, const char *text)
{
    struct pncp_finding finding = {.level = level, .what = what};
    (void)snprintf(finding.text, sizeof(finding.text), "%s", text);
    if (check->tell != NULL)
        check->tell(check->ctx, &finding);
    if (level == PNCP_FINDING_REFUSED && !check->refused) {
        check->refused = true;
        (void)pncp_err_set(&check->refusal, PNCP_E_UNSUPPORTED, "lake %s: %s: %s", check->lake->url, what, text);
    }
}

/* The status of one request; 0 and *rc: no answer. *upload: its id, when the answer has one. */
static long status_of(struct check *check, const struct pncp_s3_request *request, struct pncp_upload *upload,
                      enum pncp_code *rc)
{
    struct pncp_s3_answer answer;
    *rc = pncp_s3_ask(check->lake->s3, request, &answer, check->err);
    if (*rc != PNCP_OK)
        return 0;
    if (upload != NULL && !pncp_s3_xml_text(pncp_buf_view(&answer.body), "UploadId", upload->id, sizeof(upload->id)))
        upload->id[0] = '\0';
    /* not a matter of conditions: no rights, no such bucket, a store in trouble */
    if (answer.status == 401 || answer.status == 403 || answer.status >= 500 ||
        strcmp(answer.code, "NoSuchBucket") == 0)
        *rc = pncp_s3_refused(check->lake->s3, request, &answer, check->err);
    if (answer.status == 501)
        *rc = PNCP_OK;
    long status =
        strcmp(answer.code, "") != 0 && answer.status == 200 ? 409 : answer.status; /* an error inside a 200 */
    pncp_s3_answer_release(&answer);
    return status;
}

static bool is_done(long status)
{
    return status >= 200 && status <= 299;
}

static enum pncp_code put_with(struct check *check, const char *path, const char *name, const char *value,
                               long *ret_status)
{
    const struct pncp_call_piece piece = {.bytes = PNCP_VIEW_LIT("pncp-details looks whether conditions hold here")};
    const struct pncp_s3_request request = {
        .method = "PUT", .path = path, .headers = {{name, value}}, .pieces = &piece, .piece_count = 1, .once = true};
    enum pncp_code rc;
    *ret_status = status_of(check, &request, NULL, &rc);
    return rc;
}

static enum pncp_code check_puts(struct check *check)
{
    static const char create[] = "If-None-Match on PUT", replace[] = "If-Match on PUT";
    long status;
    enum pncp_code rc = put_with(check, check->path, "if-none-match", "*", &status);
    if (rc == PNCP_OK && !is_done(status)) {
        found(check, PNCP_FINDING_REFUSED, create,
              "the store does not take it; use a store with conditional writes (MinIO from 2024-05, AWS, Ceph from "
              "2025)");
        return PNCP_OK;
    }
    if (rc == PNCP_OK)
        rc = put_with(check, check->path, "if-none-match", "*", &status);
    if (rc == PNCP_OK)
        found(check, is_done(status) ? PNCP_FINDING_REFUSED : PNCP_FINDING_GOOD, create,
              is_done(status) ? "the store ignores it: two runs could both create a day; use another store, or one run "
                                "at a time and --unsafe-store"
                              : "what is there is not replaced");
    if (rc == PNCP_OK)
        rc = put_with(check, check->path, "if-match", STALE, &status);
    if (rc == PNCP_OK)
        found(check, is_done(status) ? PNCP_FINDING_REFUSED : PNCP_FINDING_GOOD, replace,
              is_done(status)
                  ? "the store ignores it: a checkpoint could overwrite another run's; use another store, or "
                    "one run at a time and --unsafe-store"
                  : "another version is not replaced");
    return rc;
}

static enum pncp_code check_absent(struct check *check)
{
    char path[sizeof(check->path) + 8];
    long status;
    (void)snprintf(path, sizeof(path), "%s-absent", check->path);
    enum pncp_code rc = put_with(check, path, "if-match", STALE, &status);
    if (rc != PNCP_OK)
        return rc;
    found(check, is_done(status) ? PNCP_FINDING_WARNING : PNCP_FINDING_GOOD, "If-Match without an object",
          is_done(status)
              ? "the store creates it (MinIO before 2025-09): do not delete a day's file while a run is on it"
              : "nothing is created");
    if (!is_done(status))
        return PNCP_OK;
    const struct pncp_s3_request request = {.method = "DELETE", .path = path};
    (void)status_of(check, &request, NULL, &rc);
    return rc;
}

/* Is a Complete of what is uploaded so far, which must not be, refused? */
static enum pncp_code check_condition(struct check *check, const struct pncp_upload *upload, const char *what)
{
    AUTO(pncp_buf_release) struct pncp_buf xml = {0};
    enum pncp_code rc = pncp_upload_list(upload, &xml);
    if (rc != PNCP_OK)
        return pncp_err_set(check->err, rc, "lake %s: out of memory", check->lake->url);
    const struct pncp_call_piece list = {.bytes = pncp_buf_view(&xml)};
    const struct pncp_s3_request complete = {.method = "POST",
                                             .path = check->path,
                                             .query = {{"uploadId", upload->id}},
                                             .headers = {{"if-match", STALE}},
                                             .pieces = &list,
                                             .piece_count = 1,
                                             .once = true};
    long status = status_of(check, &complete, NULL, &rc);
    if (rc == PNCP_OK)
        found(check, is_done(status) ? PNCP_FINDING_REFUSED : PNCP_FINDING_GOOD, what,
              is_done(status) ? "the store ignores it (MinIO before 2024-05): a checkpoint could overwrite another "
                                "run's; use a newer one, or one run at a time and --unsafe-store"
                              : "another version is not replaced");
    return rc;
}

/* One small part, and a Complete of it. */
static enum pncp_code check_complete(struct check *check)
{
    static const char what[] = "If-Match on CompleteMultipartUpload";
    struct pncp_upload upload = {.lake = check->lake, .path = check->path};
    enum pncp_code rc;
    const struct pncp_s3_request begin = {
        .method = "POST", .path = check->path, .query = {{"uploads", ""}}, .once = true};
    (void)status_of(check, &begin, &upload, &rc);
    if (rc == PNCP_OK && upload.id[0] == '\0')
        found(check, PNCP_FINDING_REFUSED, what, "the store has no multipart uploads; use another store");
    if (rc != PNCP_OK || upload.id[0] == '\0')
        return rc;
    const struct pncp_call_piece piece = {.bytes = PNCP_VIEW_LIT("a part")};
    rc = pncp_upload_send(&upload, &piece, 1, check->err);
    if (rc == PNCP_OK)
        rc = check_condition(check, &upload, what);
    pncp_upload_abort(&upload);
    return rc;
}

static enum pncp_code check_versioning(struct check *check)
{
    const struct pncp_s3_request request = {.method = "GET", .query = {{"versioning", ""}}};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask(check->lake->s3, &request, &answer, check->err);
    if (rc != PNCP_OK)
        return rc;
    bool enabled =
        answer.status == 200 && pncp_view_eq_text(pncp_s3_xml_first(pncp_buf_view(&answer.body), "Status"), "Enabled");
    if (answer.status != 200)
        found(check, PNCP_FINDING_WARNING, "versioning",
              "these credentials may not ask whether the bucket is versioned");
    else
        found(
            check, enabled ? PNCP_FINDING_WARNING : PNCP_FINDING_GOOD, "versioning",
            enabled
                ? "the bucket keeps every version: a day of 130 checkpoints and 60 MB keeps about 4 GB more; give it a "
                  "lifecycle rule (pncp-details doctor --print-lifecycle)"
                : "off");
    pncp_s3_answer_release(&answer);
    return PNCP_OK;
}

/* Versions that nobody may remove for a while: no lifecycle rule helps then. */
static enum pncp_code check_object_lock(struct check *check)
{
    static const char what[] = "object lock";
    const struct pncp_s3_request request = {.method = "GET", .query = {{"object-lock", ""}}};
    struct pncp_s3_answer answer;
    char mode[32] = "", count[16] = "", text[300];
    enum pncp_code rc = pncp_s3_ask(check->lake->s3, &request, &answer, check->err);
    if (rc != PNCP_OK)
        return rc;
    struct pncp_view xml = pncp_buf_view(&answer.body);
    bool retains = answer.status == 200 && pncp_s3_xml_text(xml, "Mode", mode, sizeof(mode));
    bool years =
        !pncp_s3_xml_text(xml, "Days", count, sizeof(count)) && pncp_s3_xml_text(xml, "Years", count, sizeof(count));
    if (retains)
        (void)snprintf(text, sizeof(text),
                       "the bucket keeps every version of a day for %s %s (%s), one for each checkpoint, and no "
                       "lifecycle rule removes them before: use a bucket without a default retention",
                       count, years ? "years" : "days", mode);
    else if (answer.status == 200)
        (void)snprintf(text, sizeof(text), "on, without a default retention");
    else if (answer.status == 404)
        (void)snprintf(text, sizeof(text), "off");
    else
        (void)snprintf(text, sizeof(text), "not known: the store answers %ld", answer.status);
    found(check, retains ? PNCP_FINDING_WARNING : PNCP_FINDING_GOOD, what, text);
    pncp_s3_answer_release(&answer);
    return PNCP_OK;
}

/* Where we are and who we are, as the requests so far have shown. */
static void tell_place(struct check *check)
{
    struct pncp_s3_place place;
    char text[200];
    pncp_s3_place(check->lake->s3, &place);
    (void)snprintf(text, sizeof(text), "%.100s, region %.40s, %s", place.endpoint, place.region,
                   place.path_style ? "path style" : "the bucket in the host's name");
    found(check, PNCP_FINDING_GOOD, "store", text);
    (void)snprintf(text, sizeof(text), "from %.100s", place.source);
    found(check, PNCP_FINDING_GOOD, "credentials", text);
    (void)snprintf(text, sizeof(text), "%" PRId64 " s %s the store's%s",
                   place.ahead_s < 0 ? -place.ahead_s : place.ahead_s, place.ahead_s > 0 ? "behind" : "before",
                   place.ahead_signed ? ": too far for signatures, the store's is used; set this machine's clock" : "");
    found(check, place.ahead_signed ? PNCP_FINDING_WARNING : PNCP_FINDING_GOOD, "clock", text);
    found(check, PNCP_FINDING_GOOD, "TLS", place.tls ? "yes" : "no: http, as within one's own network");
}

enum pncp_code pncp_s3_check(struct pncp_lake *lake, pncp_finding_fn *tell, void *ctx, struct pncp_err *err)
{
    struct pncp_err why = PNCP_ERR_INIT;
    struct check check = {.lake = lake, .tell = tell, .ctx = ctx, .err = &why};
    char id[PNCP_HEX_BYTES(8)];
    pncp_random_hex(8, id);
    (void)snprintf(check.path, sizeof(check.path), "pncp_details/_state/sonda/%s", id);
    tell_place(&check);
    enum pncp_code rc = check_puts(&check);
    if (rc == PNCP_OK)
        rc = check_absent(&check);
    if (rc == PNCP_OK)
        rc = check_complete(&check);
    if (rc == PNCP_OK)
        rc = check_versioning(&check);
    if (rc == PNCP_OK)
        rc = check_object_lock(&check);
    enum pncp_code removed = pncp_lake_remove(lake, check.path, NULL); /* what stays is small and in nobody's way */
    (void)removed;
    if (check.refused) /* whatever went wrong after that */
        rc = PNCP_E_UNSUPPORTED;
    if (rc != PNCP_OK && err != NULL)
        *err = check.refused ? check.refusal : why;
    return rc;
}
