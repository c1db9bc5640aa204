#include "base/json_writer.h"
#include "cli/cli.h"
#include "lake/lake.h"

#define WHAT_COLUMNS 36

/* The findings as they come, for people or for programs. */
struct doctor {
    bool json;
    struct pncp_buf text;
    struct pncp_json_writer w;
    enum pncp_code rc;
    bool refused;
};

static const char *level_text(enum pncp_finding_level level)
{
    static const char *const texts[] = {
        [PNCP_FINDING_GOOD] = "good", [PNCP_FINDING_WARNING] = "warning", [PNCP_FINDING_REFUSED] = "REFUSED"};
    return texts[level];
}

static void tell(void *ctx, const struct pncp_finding *finding)
{
    struct doctor *doctor = ctx;
    doctor->refused = doctor->refused || finding->level == PNCP_FINDING_REFUSED;
    if (doctor->json) {
        pncp_json_object_begin(&doctor->w);
        pncp_json_field_text(&doctor->w, "what", pncp_view_of(finding->what));
        pncp_json_field_text(&doctor->w, "level", pncp_view_of(level_text(finding->level)));
        pncp_json_field_text(&doctor->w, "text", pncp_view_of(finding->text));
        pncp_json_object_end(&doctor->w);
    } else if (doctor->rc == PNCP_OK) {
        doctor->rc = pncp_buf_format(&doctor->text, "%-8s %-*s %s\n", level_text(finding->level), WHAT_COLUMNS,
                                     finding->what, finding->text);
    }
}

static void tell_error(struct doctor *doctor, const struct pncp_err *err)
{
    struct pncp_finding finding = {.level = PNCP_FINDING_REFUSED, .what = "lake"};
    (void)snprintf(finding.text, sizeof(finding.text), "%s", err->msg);
    tell(doctor, &finding);
}

static int examine(const struct pncp_cli *cli, struct doctor *doctor)
{
    struct pncp_lake *lake = NULL;
    struct pncp_err err = PNCP_ERR_INIT;
    const struct pncp_lake_options options = {.writable = true, .unsafe_store = cli->unsafe_store};
    enum pncp_code rc = pncp_lake_open(cli->lake, &options, &lake, &err);
    const struct pncp_finding opened = {.level = PNCP_FINDING_GOOD, .what = "lake", .text = "it can be opened"};
    if (rc == PNCP_OK) {
        tell(doctor, &opened);
        rc = pncp_lake_check(lake, tell, doctor, &err);
    }
    pncp_lake_free(lake);
    if (rc == PNCP_OK || (rc == PNCP_E_UNSUPPORTED && doctor->refused))
        return doctor->refused ? 1 : 0;
    tell_error(doctor, &err);
    return pncp_exit_of(&err);
}

/* As the S3 API takes it (PutBucketLifecycleConfiguration) and mc and aws print it. */
static const char LIFECYCLE[] = "<LifecycleConfiguration>\n"
                                "  <Rule>\n"
                                "    <ID>pncp-details</ID>\n"
                                "    <Status>Enabled</Status>\n"
                                "    <Filter><Prefix>pncp_</Prefix></Filter>\n"
                                "    <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>"
                                "</NoncurrentVersionExpiration>\n"
                                "    <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>"
                                "</AbortIncompleteMultipartUpload>\n"
                                "  </Rule>\n"
                                "</LifecycleConfiguration>\n";

int pncp_cmd_doctor(const struct pncp_cli *cli)
{
    struct doctor doctor = {.json = cli->json};
    if (cli->print_lifecycle)
        return pncp_cli_print(PNCP_VIEW_LIT(LIFECYCLE), 0);
    pncp_json_writer_init(&doctor.w, &doctor.text);
    if (cli->json) {
        pncp_json_object_begin(&doctor.w);
        pncp_json_field_int(&doctor.w, "v", 1);
        pncp_json_field_text(&doctor.w, "lake", pncp_view_of(cli->lake));
        pncp_json_key(&doctor.w, "findings");
        pncp_json_array_begin(&doctor.w);
    }
    int code = examine(cli, &doctor);
    if (cli->json) {
        pncp_json_array_end(&doctor.w);
        pncp_json_field_int(&doctor.w, "exit", code);
        pncp_json_object_end(&doctor.w);
        doctor.rc = pncp_json_writer_end(&doctor.w);
        if (doctor.rc == PNCP_OK)
            doctor.rc = pncp_buf_text(&doctor.text, "\n");
    }
    code = doctor.rc == PNCP_OK ? pncp_cli_print(pncp_buf_view(&doctor.text), code) : 75;
    pncp_buf_release(&doctor.text);
    return code;
}
