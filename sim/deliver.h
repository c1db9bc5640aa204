/* Changing a right answer into a wrong one, and sending what HTTP libraries refuse to send. */
#ifndef SIM_DELIVER_H
#define SIM_DELIVER_H

#include <event2/http.h>

#include "answer.h"
#include "fault.h"

/* Replace the whole answer by the fault's own (429, 500_json …). False: the fault needs the right answer first. */
bool sim_fault_replaces(const struct sim_decision *decision, const struct sim_request *request,
                        struct sim_answer *answer);
/* Spoil the right answer (truncated, dup_key …); nothing for faults of delivery. */
void sim_fault_spoils(const struct sim_decision *decision, const struct sim_request *request,
                      struct sim_answer *answer);

/* Status line and headers with the whole body's Content-Length, then the first `body_bytes` of the body; straight to
 * the socket, whose buffer has room for a page. Afterwards the connection is only good for closing. */
void sim_send_head_and(struct evhttp_connection *conn, const struct sim_answer *answer, size_t body_bytes);
/* Close so that the peer sees a reset: plain close, even with SO_LINGER 0, is seen as an early end (measured with
 * curl); dissolving the association first (connect to AF_UNSPEC) makes the kernel send RST. */
void sim_connection_reset(struct evhttp_connection *conn);
/* The peer has closed its side. */
bool sim_connection_gone(struct evhttp_connection *conn);
/* `mib` MiB of valid JSON, an array of blanks, without holding them. */
bool sim_put_huge(struct evbuffer *out, uint32_t mib);

#endif
