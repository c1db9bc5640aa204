/* What we read of the XML that a store answers with: elements by name, wherever they stand. No attributes, no entities
 * but quotes: S3's and STS's answers have no others in what we ask for. */
#ifndef PNCP_S3_XML_H
#define PNCP_S3_XML_H

#include "base/view.h"

/* The text of the next element `name` (60 bytes at most) without elements of that name in it, from *rest on, which
 * moves behind it. Entities are as they came. False: there is none. */
bool pncp_s3_xml_next(struct pncp_view *rest, const char *name, struct pncp_view *ret_text);
/* The text of the first, as it came; empty when there is none. */
struct pncp_view pncp_s3_xml_first(struct pncp_view xml, const char *name);
/* The text of the first with the quotes, which an ETag has and stores write as entities, and a NUL. False: there is
 * none, it is empty, or has no room. */
bool pncp_s3_xml_text(struct pncp_view xml, const char *name, char *ret_text, size_t bytes);

#endif
