/* The version of program and library: kept in step with meson.build by a test of the build. */
#ifndef PNCP_VERSION_H
#define PNCP_VERSION_H

#define PNCP_VERSION "0.1.0"

#endif
