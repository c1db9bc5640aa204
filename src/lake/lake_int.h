/* The lake, between the files of lake/ only. */
#ifndef PNCP_LAKE_INT_H
#define PNCP_LAKE_INT_H

#include "lake/lake.h"

#define PNCP_TMP_FOLDER "pncp_details/_state/tmp"

/* What is behind a lake. The functions are those of lake.h, whose words hold for them. */
struct pncp_lake_backend {
    bool remote;
    uint64_t keeps_from;
    void (*close)(struct pncp_lake *lake); /* what it has of its own; NULL: nothing */
    enum pncp_code (*check)(struct pncp_lake *lake, pncp_finding_fn *tell, void *ctx, struct pncp_err *err);
    enum pncp_code (*open_object)(struct pncp_lake *lake, const char *path, const char *lock,
                                  struct pncp_object *ret_object, struct pncp_err *err);
    enum pncp_code (*open_version)(struct pncp_lake *lake, const char *path, const char *lock,
                                   const struct pncp_version *version, uint64_t size, struct pncp_object *ret_object,
                                   struct pncp_err *err);
    enum pncp_code (*put)(struct pncp_lake *lake, const char *path, const struct pncp_body *body, struct pncp_err *err);
    enum pncp_code (*write_if)(struct pncp_lake *lake, const char *path, const char *lock,
                               const struct pncp_version *expected, const struct pncp_body *body,
                               struct pncp_version *ret_version, struct pncp_err *err);
    enum pncp_code (*splice_if)(struct pncp_lake *lake, const char *path, const char *lock,
                                const struct pncp_version *expected, const struct pncp_splice *splice,
                                struct pncp_version *ret_version, struct pncp_err *err);
    enum pncp_code (*sync)(struct pncp_lake *lake, const char *path, struct pncp_err *err);
    enum pncp_code (*remove)(struct pncp_lake *lake, const char *path, struct pncp_err *err);
    enum pncp_code (*list)(struct pncp_lake *lake, const char *path, bool (*each)(void *ctx, const char *name),
                           void *ctx, struct pncp_err *err);
    enum pncp_code (*hold)(struct pncp_lake *lake, const char *path, struct pncp_view holder,
                           struct pncp_hold *ret_hold, struct pncp_err *err);
};

struct pncp_later;
struct pncp_keeper;
struct pncp_s3;
struct pncp_lake {
    const struct pncp_lake_backend *backend;
    int root_fd; /* below it lie the temporary files: the lake itself, or a local folder */
    char *url;   /* absolute */
    char run_id[48];
    unsigned temp_count; /* names of temp files; atomic */
    char temps_in[128];  /* for messages: " in FOLDER" where that is not the lake */
    struct pncp_s3 *s3;  /* lake_s3.c */
    struct pncp_later *later;
    bool uploads_swept; /* atomic */
    struct pncp_keeper *keeper;
};

MUST_CHECK enum pncp_code pncp_lake_dir_open(const char *url, const struct pncp_lake_options *options,
                                             struct pncp_lake **ret_lake, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_lake_s3_open(const char *url, const struct pncp_lake_options *options,
                                            struct pncp_lake **ret_lake, struct pncp_err *err);

/* As pncp_lake_splice_if; s3_splice.c. */
MUST_CHECK enum pncp_code pncp_s3_splice_if(struct pncp_lake *lake, const char *path, const char *lock,
                                            const struct pncp_version *expected, const struct pncp_splice *splice,
                                            struct pncp_version *ret_version, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_s3_check(struct pncp_lake *lake, pncp_finding_fn *tell, void *ctx, struct pncp_err *err);

/* A new temp file, locked for as long as it is open, so that a sweep leaves it alone. */
MUST_CHECK enum pncp_code pncp_temp_open(struct pncp_lake *lake, int *ret_fd, char ret_path[512], struct pncp_err *err);
/* fsync the temp file, rename it to `path`, fsync the folder (made when missing); no fsync of either when `fleeting`.
 * On failure before the rename the temp is removed. */
MUST_CHECK enum pncp_code pncp_temp_publish(struct pncp_lake *lake, int fd, const char *temp, const char *path,
                                            bool fleeting, struct pncp_err *err);
void pncp_temp_remove(struct pncp_lake *lake, const char *temp);
/* pncp_lake_sync and pncp_lake_list of a folder below root_fd. */
MUST_CHECK enum pncp_code pncp_temp_sync(struct pncp_lake *lake, const char *path, struct pncp_err *err);
MUST_CHECK enum pncp_code pncp_temp_list(struct pncp_lake *lake, const char *path,
                                         bool (*each)(void *ctx, const char *name), void *ctx, struct pncp_err *err);
/* Take descriptor and name out of a stage, all written; the stage is closed then. */
MUST_CHECK enum pncp_code pncp_stage_give_up(struct pncp_stage *stage, int *ret_fd, char ret_path[512],
                                             struct pncp_err *err);

/* ---- the lease of a day (lease.c) ------------------------------------------------------------ */

struct pncp_lease;
/* As pncp_lake_hold: an object that is written by write_if and renewed by a thread until it is ended. */
MUST_CHECK enum pncp_code pncp_lease_begin(struct pncp_lake *lake, const char *path, struct pncp_view holder,
                                           struct pncp_lease **ret_lease, struct pncp_err *err);
void pncp_lease_end(struct pncp_lease *lease); /* NULL is fine */
/* Does a lease with that text hold its day at `now_s` (UTC, the store's clock)? What cannot be read holds nothing. */
bool pncp_lease_holds(struct pncp_view text, int64_t now_s);

#endif
