/* GET /_stats and POST /_control. */
#include <event2/buffer.h>

#include "options.h"

#define NAME_CHARS 64
#define VALUE_CHARS 4096

static enum pncp_code clear(struct sim *sim, struct pncp_view what, struct pncp_err *err)
{
    bool all = pncp_view_eq_text(what, "all"), rules = pncp_view_eq_text(what, "rules"),
         faults = pncp_view_eq_text(what, "faults");

    if (!all && !rules && !faults)
        return pncp_err_set(err, PNCP_E_USAGE, "clear: '" PNCP_VIEW_FMT "' is not rules, faults or all",
                            PNCP_VIEW_ARG(what));
    if (all || rules)
        sim_faults_clear_rules(&sim->faults);
    if (all || faults) {
        sim->faults.rates_len = 0;
        sim->world.config.absent_rate[SIM_ITENS] = sim->world.config.absent_rate[SIM_ARQUIVOS] = 0;
    }
    return PNCP_OK;
}

static enum pncp_code reset(struct sim *sim, struct pncp_view what, struct pncp_err *err)
{
    bool all = pncp_view_eq_text(what, "all"), stats = pncp_view_eq_text(what, "stats"),
         attempts = pncp_view_eq_text(what, "attempts"), drift = pncp_view_eq_text(what, "drift");

    if (!all && !stats && !attempts && !drift)
        return pncp_err_set(err, PNCP_E_USAGE, "reset: '" PNCP_VIEW_FMT "' is not stats, attempts, drift or all",
                            PNCP_VIEW_ARG(what));
    if (all || stats)
        sim_tally_reset(&sim->tally);
    if (all || attempts)
        sim_tally_forget_attempts(&sim->tally);
    if (all || drift)
        sim_world_forget_drift(&sim->world);
    return PNCP_OK;
}

/* The settings of the form in order; what stands before a bad one holds. */
static enum pncp_code apply(struct sim *sim, struct pncp_view form, struct pncp_err *err)
{
    char name[NAME_CHARS], value[VALUE_CHARS];
    size_t len;
    enum pncp_code rc = PNCP_OK;

    while (rc == PNCP_OK && sim_form_next(&form, name, sizeof(name), value, sizeof(value), &len)) {
        struct pncp_view view = {value, len};
        if (strcmp(name, "clear") == 0)
            rc = clear(sim, view, err);
        else if (strcmp(name, "reset") == 0)
            rc = reset(sim, view, err);
        else
            rc = sim_options_control(sim, name, view, err);
    }
    return rc;
}

static void answer_control(struct sim *sim, struct evhttp_request *req, struct sim_answer *answer)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    struct pncp_err err = PNCP_ERR_INIT;
    size_t len = evbuffer_get_length(in);
    const char *data = len == 0 ? "" : (const char *)evbuffer_pullup(in, -1);

    if (evhttp_request_get_command(req) != EVHTTP_REQ_POST || data == NULL) {
        answer->status = 405;
        SIM_PUT(answer->body, "{\"error\":\"POST a form\"}");
    } else if (apply(sim, (struct pncp_view){data, len}, &err) != PNCP_OK) {
        answer->status = 400;
        SIM_PUT(answer->body, "{\"error\":");
        sim_text_string(answer->body, pncp_view_of(err.msg));
        SIM_PUT(answer->body, "}");
    } else {
        SIM_PUT(answer->body, "{\"ok\":true}");
    }
}

void sim_control_answer(struct sim *sim, struct evhttp_request *req, const struct sim_request *request,
                        struct sim_answer *answer)
{
    answer->status = 200;
    answer->type = SIM_TYPE_JSON;
    answer->location[0] = '\0';
    sim_text_clear(answer->body);
    if (request->endpoint == SIM_CONTROL)
        answer_control(sim, req, answer);
    else
        sim_tally_write(&sim->tally, pncp_view_eq_text(sim_param_view(request, SIM_KEYS), "1"), answer->body);
}
