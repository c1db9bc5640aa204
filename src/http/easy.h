/* What every transfer has in common. */
#ifndef PNCP_EASY_H
#define PNCP_EASY_H

#include "base/base.h"

#include <curl/curl.h>

/* No signals; HTTP/1.1; http and https only; keep-alive. False: out of memory. */
bool pncp_easy_set_up(CURL *easy, uint32_t connect_timeout_ms);

#endif
