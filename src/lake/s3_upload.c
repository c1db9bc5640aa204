#include "lake/s3_upload.h"
#include "base/clock.h"
#include "lake/lake_int.h"
#include "lake/s3_object.h"
#include "lake/s3_xml.h"

#include <stdio.h>

#define OLD_S (24 * 3600)

enum pncp_code pncp_upload_begin(struct pncp_upload *upload, const char *id, struct pncp_err *err)
{
    const struct pncp_s3_request request = {.method = "POST",
                                            .path = upload->path,
                                            .query = {{"uploads", ""}},
                                            .headers = {{id == NULL ? NULL : PNCP_S3_ID_HEADER, id}},
                                            .once = true};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return rc;
    if (!pncp_s3_xml_text(pncp_buf_view(&answer.body), "UploadId", upload->id, sizeof(upload->id)))
        rc = pncp_s3_unclear(upload->lake, upload->path, "the store did not name the upload that it began", err);
    pncp_s3_answer_release(&answer);
    return rc;
}

enum pncp_code pncp_upload_copy(struct pncp_upload *upload, const struct pncp_version *expected, uint64_t from,
                                uint64_t len, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf source = {0};
    if (upload->parts + 1 >= PNCP_PARTS_MAX)
        return pncp_err_set(err, PNCP_E_LIMIT, "write %s: it is too large", upload->path);
    char number[8], range[PNCP_S3_RANGE_BYTES];
    (void)snprintf(number, sizeof(number), "%zu", upload->parts + 1);
    pncp_s3_range(from, len, range);
    enum pncp_code rc = pncp_s3_copy_source(upload->lake->s3, upload->path, &source);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "write %s: out of memory", upload->path);
    const struct pncp_s3_request request = {.method = "PUT",
                                            .path = upload->path,
                                            .query = {{"partNumber", number}, {"uploadId", upload->id}},
                                            .headers = {{"x-amz-copy-source", source.data},
                                                        {"x-amz-copy-source-range", range},
                                                        {"x-amz-copy-source-if-match", expected->text}}};
    struct pncp_s3_answer answer;
    rc = pncp_s3_ask_good(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return pncp_s3_lost(upload->lake, upload->path, expected, rc, err);
    if (!pncp_s3_xml_text(pncp_buf_view(&answer.body), "ETag", upload->etags[upload->parts++], PNCP_S3_ETAG_BYTES))
        rc = pncp_s3_unclear(upload->lake, upload->path, "the store did not copy a part",
                             err); /* an error inside a 200 */
    pncp_s3_answer_release(&answer);
    return rc;
}

enum pncp_code pncp_upload_send(struct pncp_upload *upload, const struct pncp_call_piece *pieces, size_t piece_count,
                                struct pncp_err *err)
{
    char number[8];
    (void)snprintf(number, sizeof(number), "%zu", upload->parts + 1);
    const struct pncp_s3_request request = {.method = "PUT",
                                            .path = upload->path,
                                            .query = {{"partNumber", number}, {"uploadId", upload->id}},
                                            .pieces = pieces,
                                            .piece_count = piece_count,
                                            .sent = upload->sent};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return rc;
    (void)snprintf(upload->etags[upload->parts++], PNCP_S3_ETAG_BYTES, "%s", answer.etag);
    pncp_s3_answer_release(&answer);
    return PNCP_OK;
}

enum pncp_code pncp_upload_list(const struct pncp_upload *upload, struct pncp_buf *ret_xml)
{
    enum pncp_code rc = pncp_buf_text(ret_xml, "<CompleteMultipartUpload>");
    for (size_t i = 0; rc == PNCP_OK && i < upload->parts; i++) /* an ETag has quotes, which XML allows in a text */
        rc = pncp_buf_format(ret_xml, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1,
                             upload->etags[i]);
    return rc == PNCP_OK ? pncp_buf_text(ret_xml, "</CompleteMultipartUpload>") : rc;
}

enum pncp_code pncp_upload_complete(struct pncp_upload *upload, const struct pncp_version *expected,
                                    struct pncp_version *ret_version, struct pncp_err *err)
{
    AUTO(pncp_buf_release) struct pncp_buf xml = {0};
    if (pncp_upload_list(upload, &xml) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "write %s: out of memory", upload->path);
    const struct pncp_call_piece piece = {.bytes = pncp_buf_view(&xml)};
    const struct pncp_s3_request request = {.method = "POST",
                                            .path = upload->path,
                                            .query = {{"uploadId", upload->id}},
                                            .headers = {pncp_s3_condition(expected)},
                                            .pieces = &piece,
                                            .piece_count = 1,
                                            .sent = upload->sent,
                                            .once = true};
    struct pncp_s3_answer answer;
    enum pncp_code rc = pncp_s3_ask_good(upload->lake, &request, &answer, err);
    if (rc != PNCP_OK)
        return pncp_s3_lost(upload->lake, upload->path, expected, rc, err);
    if (!pncp_s3_xml_text(pncp_buf_view(&answer.body), "ETag", ret_version->text, sizeof(ret_version->text)))
        rc = pncp_s3_unclear(upload->lake, upload->path, "the store did not complete the upload", err);
    pncp_s3_answer_release(&answer);
    return rc;
}

void pncp_upload_abort(struct pncp_upload *upload)
{
    if (upload->id[0] == '\0')
        return;
    const struct pncp_s3_request request = {
        .method = "DELETE", .path = upload->path, .query = {{"uploadId", upload->id}}, .once = true};
    struct pncp_s3_answer answer;
    if (pncp_s3_ask(upload->lake->s3, &request, &answer, NULL) == PNCP_OK)
        pncp_s3_answer_release(&answer);
}

void pncp_upload_abort_old(struct pncp_lake *lake, const char *path)
{
    AUTO(pncp_buf_release) struct pncp_buf key = {0};
    if (__atomic_exchange_n(&lake->uploads_swept, true, __ATOMIC_RELAXED) ||
        pncp_s3_key(lake->s3, path, &key) != PNCP_OK || pncp_buf_append(&key, "", 1) != PNCP_OK)
        return;
    const struct pncp_s3_request request = {.method = "GET", .query = {{"uploads", ""}, {"prefix", key.data}}};
    struct pncp_s3_answer answer;
    if (pncp_s3_ask(lake->s3, &request, &answer, NULL) != PNCP_OK)
        return;
    struct pncp_view rest = pncp_buf_view(&answer.body), entry;
    while (answer.status == 200 && pncp_s3_xml_next(&rest, "Upload", &entry)) {
        struct pncp_upload upload = {.lake = lake, .path = path};
        int64_t begun_us;
        if (pncp_view_eq_text(pncp_s3_xml_first(entry, "Key"), key.data) &&
            pncp_s3_xml_text(entry, "UploadId", upload.id, sizeof(upload.id)) &&
            pncp_datetime_parse(pncp_s3_xml_first(entry, "Initiated"), &begun_us) &&
            pncp_s3_now_s(lake->s3) - begun_us / 1000000 >= OLD_S)
            pncp_upload_abort(&upload);
    }
    pncp_s3_answer_release(&answer);
}
