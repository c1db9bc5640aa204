/* What s3_config and s3_credentials share: environment, shared files of the AWS tools, addresses, and how secrets are
 * kept. */
#ifndef PNCP_S3_CONFIG_INT_H
#define PNCP_S3_CONFIG_INT_H

#include "base/buf.h"
#include "base/err.h"
#include "lake/s3_config.h"

/* A variable of the environment; NULL when it is not set or empty. */
const char *pncp_s3_env(const char *name);

/* ---- secrets: overwritten before their memory is given back ---------------------------------- */
void pncp_s3_wipe_text(char **text); /* frees it too and sets it to NULL; NULL is fine */
void pncp_s3_wipe_buf(struct pncp_buf *buf);
/* A copy of `text`, which has no NUL inside, in place of *slot. PNCP_E_NOMEM, without a message: it stays. */
MUST_CHECK enum pncp_code pncp_s3_keep(char **slot, struct pncp_view text);
/* The whole of a small file into an empty `buf`. All memory is taken before it is read, so that growing leaves no copy
 * behind. PNCP_E_IO · PNCP_E_LIMIT: larger than max_bytes · PNCP_E_NOMEM. */
MUST_CHECK enum pncp_code pncp_s3_read_file(const char *path, size_t max_bytes, struct pncp_buf *buf,
                                            struct pncp_err *err);

/* ---- a profile ------------------------------------------------------------------------------- */
enum pncp_s3_file { PNCP_S3_FILE_CREDENTIALS, PNCP_S3_FILE_CONFIG };
#define PNCP_S3_FILES 2

enum pncp_s3_setting {
    PNCP_S3_REGION,
    PNCP_S3_ENDPOINT_URL,
    PNCP_S3_CA_BUNDLE,
    PNCP_S3_ADDRESSING_STYLE, /* in the block `s3` */
    PNCP_S3_ACCESS_KEY,
    PNCP_S3_SECRET_KEY,
    PNCP_S3_SESSION_TOKEN,
};
#define PNCP_S3_SETTINGS 7

struct pncp_s3_profile {
    char *name;
    bool found;                                    /* a file has a section of that name */
    char *paths[PNCP_S3_FILES];                    /* NULL: neither the variable nor HOME is set */
    char *values[PNCP_S3_FILES][PNCP_S3_SETTINGS]; /* NULL: not set, or empty */
    const char *unsupported; /* a setting of it that names a source of credentials that we do not have; NULL: none */
};

/* The profile that the environment names. PNCP_E_USAGE: it names one that neither file has · PNCP_E_PARSE PNCP_E_LIMIT
 * PNCP_E_IO PNCP_E_NOMEM as in s3_config.h. */
MUST_CHECK enum pncp_code pncp_s3_profile_load(struct pncp_s3_profile *ret_profile, struct pncp_err *err);
/* Add what a file's text says of profile->name; `path` is for messages. [name] in credentials, [profile name] and
 * [default] in config; whatever else is in brackets is passed over. Of two values of one setting the last counts, names
 * of settings are of any case, # and ; begin a comment at a line's begin or behind a blank. */
MUST_CHECK enum pncp_code pncp_s3_profile_parse(struct pncp_s3_profile *profile, enum pncp_s3_file file,
                                                const char *path, struct pncp_view text, struct pncp_err *err);
void pncp_s3_profile_release(struct pncp_s3_profile *profile);
const char *pncp_s3_setting_name(enum pncp_s3_setting setting); /* as it stands in a file */
/* Its value, or NULL; *ret_path is the file that has it. */
const char *pncp_s3_profile_get(const struct pncp_s3_profile *profile, enum pncp_s3_setting setting,
                                const char **ret_path);

/* ---- an address ------------------------------------------------------------------------------ */
struct pncp_s3_address { /* scheme://host[:port][rest]; views into the text */
    bool tls;
    struct pncp_view host; /* a name, an IPv4 address, or an IPv6 address in its brackets; as it was given */
    unsigned port;         /* 0: the scheme's own, given or not */
    struct pncp_view rest; /* "" or begins with '/', '?' or '#' */
};
#define PNCP_S3_HOST_MAX_BYTES 253 /* RFC 1035 section 2.3.4, as text */
/* NULL, or what is wrong with it: "is not an http or https URL", "has user info". *ret_address is set on NULL only. */
const char *pncp_s3_address_parse(const char *text, struct pncp_s3_address *ret_address);
/* "host" or "host:port" in small letters. */
#define PNCP_S3_HOST_BYTES (PNCP_S3_HOST_MAX_BYTES + sizeof(":65535"))
void pncp_s3_address_host(const struct pncp_s3_address *address, char ret_host[PNCP_S3_HOST_BYTES]);

#endif
