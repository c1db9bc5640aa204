/* What every transfer has in common. */
#ifndef PNCP_EASY_H
#define PNCP_EASY_H

#include "base/base.h"

#include <curl/curl.h>

/* No signals; HTTP/1.1; http and https only; keep-alive. False: out of memory. */
bool pncp_easy_set_up(CURL *easy, uint32_t connect_timeout_ms);
/* Append a copy of `line` to *headers (NULL: the first); it is freed with curl_slist_free_all, also after false: out of
 * memory. */
bool pncp_easy_add_header(struct curl_slist **headers, const char *line);

#endif
