/* Where credentials come from, between s3_credentials.c (when they are read) and s3_provider.c (how). */
#ifndef PNCP_S3_CREDENTIALS_INT_H
#define PNCP_S3_CREDENTIALS_INT_H

#include "lake/s3_credentials.h"

/* STS takes tokens of at most 20,000 characters ("AssumeRoleWithWebIdentity", WebIdentityToken). */
#define PNCP_S3_TOKEN_MAX_BYTES ((size_t)20000)

/* From the first source that is set; serial is 0. Errors of pncp_s3_credentials_get. */
MUST_CHECK enum pncp_code pncp_s3_keys_read(const char *region, pncp_s3_fetch_fn *fetch, void *ctx, int64_t now_s,
                                            struct pncp_s3_keys *ret_keys, struct pncp_err *err);

/* Credentials out of the XML that STS and out of the JSON that a container's endpoint answers. `from` is for messages.
 * PNCP_E_PARSE · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_s3_keys_parse_xml(struct pncp_view body, const char *from, struct pncp_s3_keys *ret_keys,
                                                 struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_s3_keys_parse_json(struct pncp_view body, const char *from,
                                                  struct pncp_s3_keys *ret_keys, struct pncp_err *err);

#endif
