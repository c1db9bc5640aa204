/* The lake, between the files of lake/ only. */
#ifndef PNCP_LAKE_INT_H
#define PNCP_LAKE_INT_H

#include "lake/lake.h"

#define PNCP_TMP_FOLDER "pncp_details/_state/tmp"

struct pncp_lake {
    int root_fd;
    char *url; /* absolute path of the root */
    char run_id[48];
    unsigned temp_count; /* names of temp files; atomic */
};

/* A new temp file, locked for as long as it is open, so that a sweep leaves it alone. */
MUST_CHECK enum pncp_code pncp_temp_open(struct pncp_lake *lake, int *ret_fd, char ret_path[512], struct pncp_err *err);
/* fsync the temp file, rename it to `path`, fsync the folder (made when missing); no fsync of either when `fleeting`.
 * On failure before the rename the temp is removed. */
MUST_CHECK enum pncp_code pncp_temp_publish(struct pncp_lake *lake, int fd, const char *temp, const char *path,
                                            bool fleeting, struct pncp_err *err);
void pncp_temp_remove(struct pncp_lake *lake, const char *temp);
/* Take descriptor and name out of a stage, all written; the stage is closed then. */
MUST_CHECK enum pncp_code pncp_stage_give_up(struct pncp_stage *stage, int *ret_fd, char ret_path[512],
                                             struct pncp_err *err);

#endif
