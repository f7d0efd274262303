/* SPDX-License-Identifier: GPL-2.0-only */
/* What is asked about one living task and not every source tells. */
#ifndef MMLENS_SOURCE_PROCMETA_H
#define MMLENS_SOURCE_PROCMETA_H

#include <stddef.h>
#include <stdint.h>

/* Its real user. -errno or 0. */
int procmeta_uid(uint32_t tid, uint32_t *uid);
/* Its tid in the innermost of its pid namespaces, as it knows itself. -errno or 0. */
int procmeta_inner_tid(uint32_t tid, uint32_t *inner);
/* The path of its cgroup, of the default hierarchy or else of the first. -errno or 0. */
int procmeta_cgroup(uint32_t tid, char *path, size_t n);
/* Its name; what a newline may be in it stays. -errno or 0. */
int procmeta_comm(uint32_t tid, char *comm, size_t n);

/* Their parts, for tests: of the text of a status or a cgroup file. -EPROTO or 0. */
int procmeta_parse_uid(const char *status, uint32_t *uid);
int procmeta_parse_inner_tid(const char *status, uint32_t *inner);
int procmeta_parse_cgroup(const char *cgroup, char *path, size_t n);

#endif
