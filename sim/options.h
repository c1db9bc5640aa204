/* The settings: one table for the command line (--name value) and, for those that may change while running, POST
 * /_control. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "sim.h"

/* Read argv into `sim`. *ret_help: --help was given. PNCP_E_USAGE and what a setting's own errors are. */
MUST_CHECK enum pncp_code sim_options_parse(struct sim *sim, int argc, char **argv, bool *ret_help,
                                            struct pncp_err *err);
/* One setting by name, from /_control. PNCP_E_USAGE: unknown, fixed while running, or a bad value. */
MUST_CHECK enum pncp_code sim_options_control(struct sim *sim, const char *name, struct pncp_view value,
                                              struct pncp_err *err);
/* The help text on stdout. */
void sim_options_help(void);

#endif
