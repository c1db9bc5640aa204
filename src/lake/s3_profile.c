#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "lake/s3_config_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *pncp_s3_env(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

/* ---- secrets --------------------------------------------------------------------------------- */

void pncp_s3_wipe_text(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    pncp_free(*text);
    *text = NULL;
}

void pncp_s3_wipe_buf(struct pncp_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->len);
    pncp_buf_release(buf);
}

enum pncp_code pncp_s3_keep(char **slot, struct pncp_view text)
{
    char *copy = pncp_malloc(text.len + 1);
    if (copy == NULL)
        return PNCP_E_NOMEM;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    pncp_s3_wipe_text(slot);
    *slot = copy;
    return PNCP_OK;
}

enum pncp_code pncp_s3_read_file(const char *path, size_t max_bytes, struct pncp_buf *buf, struct pncp_err *err)
{
    AUTO(pncp_fd_close) int fd = pncp_sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return pncp_err_sys(err, errno, "read %s", path);
    if (pncp_buf_reserve(buf, max_bytes + 1) != PNCP_OK) /* pages of it that are never touched cost nothing */
        return pncp_err_set(err, PNCP_E_NOMEM, "read %s: out of memory", path);
    while (buf->len <= max_bytes) {
        ssize_t done = pncp_sys_read(fd, buf->data + buf->len, max_bytes + 1 - buf->len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return pncp_err_sys(err, errno, "read %s", path);
        if (done == 0)
            return PNCP_OK;
        buf->len += (size_t)done;
    }
    return pncp_err_set(err, PNCP_E_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
}

/* ---- reading a file's text ------------------------------------------------------------------- */

/* What is read, in the order of enum pncp_s3_setting. */
static const char *const SETTING_NAMES[PNCP_S3_SETTINGS] = {
    "region",           "endpoint_url", "ca_bundle", "addressing_style", "aws_access_key_id", "aws_secret_access_key",
    "aws_session_token"};
/* Other sources of credentials that a profile may name: told to whom they would have served. */
static const char *const UNSUPPORTED_NAMES[] = {"credential_process", "credential_source", "login_session",
                                                "role_arn",           "sso_session",       "sso_start_url"};

struct reader {
    struct pncp_s3_profile *profile;
    enum pncp_s3_file file;
    const char *path;
    size_t line;
    bool in_section, wanted;                /* `wanted`: the section is the profile's */
    bool has_key, is_block, is_s3, is_ours; /* what the last key was; `is_ours`: one that we read */
    size_t key_indent;                      /* of it; what stands further to the right belongs to it */
};

static enum pncp_code wrong_line(const struct reader *reader, struct pncp_err *err, const char *what)
{
    return pncp_err_set(err, PNCP_E_PARSE, "%s line %zu: %s", reader->path, reader->line, what);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct pncp_view trim(struct pncp_view text)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = pncp_view_from(text, 1);
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

static bool is_comment(struct pncp_view text)
{
    return text.len > 0 && (text.data[0] == '#' || text.data[0] == ';');
}

/* Without the comment at its end, which begins behind a blank. */
static struct pncp_view without_comment(struct pncp_view text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (is_blank(text.data[i - 1]) && is_comment(pncp_view_from(text, i)))
            text.len = i;
    }
    return trim(text);
}

static bool is_name(struct pncp_view text, const char *name)
{
    return text.len == strlen(name) && strncasecmp(text.data, name, text.len) == 0;
}

/* [profile name], with or without quotes around the name */
static struct pncp_view profile_name(struct pncp_view section)
{
    static const char word[] = "profile";
    if (!pncp_view_starts(section, word) || section.len == strlen(word) || !is_blank(section.data[strlen(word)]))
        return pncp_view_eq_text(section, "default") ? section : (struct pncp_view){"", 0};
    struct pncp_view name = trim(pncp_view_from(section, strlen(word)));
    char quote = name.len >= 2 ? name.data[0] : '\0';
    if ((quote == '"' || quote == '\'') && name.data[name.len - 1] == quote)
        name = (struct pncp_view){name.data + 1, name.len - 2};
    return name;
}

static enum pncp_code read_section(struct reader *reader, struct pncp_view text, struct pncp_err *err)
{
    const char *end = memchr(text.data, ']', text.len);
    if (end == NULL)
        return wrong_line(reader, err, "a section without its ]");
    struct pncp_view name = trim((struct pncp_view){text.data + 1, (size_t)(end - text.data) - 1});
    struct pncp_view rest = trim(pncp_view_from(text, (size_t)(end - text.data) + 1));
    if (rest.len > 0 && !is_comment(rest))
        return wrong_line(reader, err, "something behind the ] of a section");
    if (reader->file == PNCP_S3_FILE_CONFIG)
        name = profile_name(name);
    reader->in_section = true;
    reader->wanted = pncp_view_eq_text(name, reader->profile->name);
    reader->has_key = false;
    reader->profile->found |= reader->wanted;
    return PNCP_OK;
}

static enum pncp_code set_value(struct reader *reader, enum pncp_s3_setting setting, struct pncp_view value,
                                struct pncp_err *err)
{
    char **slot = &reader->profile->values[reader->file][setting];
    if (memchr(value.data, '\0', value.len) != NULL)
        return wrong_line(reader, err, "a value with a NUL byte");
    if (value.len == 0)
        pncp_s3_wipe_text(slot);
    else if (pncp_s3_keep(slot, value) != PNCP_OK)
        return pncp_err_set(err, PNCP_E_NOMEM, "read %s: out of memory", reader->path);
    return PNCP_OK;
}

/* A key of the section, or (`nested`) of the block that its last key began. */
static enum pncp_code read_key(struct reader *reader, struct pncp_view text, bool nested, struct pncp_err *err)
{
    const char *equals = memchr(text.data, '=', text.len);
    if (equals == NULL)
        return wrong_line(reader, err, "neither key = value nor [section]");
    struct pncp_view key = trim((struct pncp_view){text.data, (size_t)(equals - text.data)});
    struct pncp_view value =
        trim(pncp_view_from(without_comment(pncp_view_from(text, (size_t)(equals - text.data))), 1));
    if (key.len == 0)
        return wrong_line(reader, err, "a value without a key");
    if (!nested) {
        reader->has_key = true;
        reader->is_block = value.len == 0;
        reader->is_s3 = is_name(key, "s3");
        reader->is_ours = false;
    }
    for (size_t i = 0; reader->wanted && i < PNCP_S3_SETTINGS; i++) {
        bool in_s3 = i == PNCP_S3_ADDRESSING_STYLE;
        if (is_name(key, SETTING_NAMES[i]) && in_s3 == nested && (!nested || reader->is_s3)) {
            reader->is_ours = true;
            return set_value(reader, (enum pncp_s3_setting)i, value, err);
        }
    }
    for (size_t i = 0; reader->wanted && !nested && i < PNCP_ARRAY_LEN(UNSUPPORTED_NAMES); i++) {
        if (is_name(key, UNSUPPORTED_NAMES[i]))
            reader->profile->unsupported = UNSUPPORTED_NAMES[i];
    }
    return PNCP_OK;
}

static enum pncp_code read_line(struct reader *reader, struct pncp_view line, struct pncp_err *err)
{
    struct pncp_view text = trim(line);
    size_t indent = text.len == 0 ? 0 : (size_t)(text.data - line.data);
    if (text.len == 0 || is_comment(text))
        return PNCP_OK;
    if (text.data[0] == '[' && indent == 0)
        return read_section(reader, text, err);
    if (!reader->in_section)
        return wrong_line(reader, err, "stands before the first [section]");
    if (!reader->has_key || indent <= reader->key_indent) {
        reader->key_indent = indent;
        return read_key(reader, text, false, err);
    }
    if (reader->is_block)
        return read_key(reader, text, true, err);
    /* A value may go on in the next line; none that we read does. */
    return reader->is_ours ? wrong_line(reader, err, "is indented below a value") : PNCP_OK;
}

enum pncp_code pncp_s3_profile_parse(struct pncp_s3_profile *profile, enum pncp_s3_file file, const char *path,
                                     struct pncp_view text, struct pncp_err *err)
{
    struct reader reader = {.profile = profile, .file = file, .path = path};
    if (pncp_view_starts(text, "\xEF\xBB\xBF")) /* what some editors put before UTF-8 */
        text = pncp_view_from(text, 3);
    while (text.len > 0) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        reader.line++;
        enum pncp_code rc = read_line(&reader, (struct pncp_view){text.data, len}, err);
        if (rc != PNCP_OK)
            return rc;
        text = pncp_view_from(text, end == NULL ? len : len + 1);
    }
    return PNCP_OK;
}

/* ---- the files ------------------------------------------------------------------------------- */

static const struct {
    const char *variable, *path; /* `path`: below HOME */
} FILES[PNCP_S3_FILES] = {{"AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"}, {"AWS_CONFIG_FILE", ".aws/config"}};

/* NULL in *ret_path: there is none to read. PNCP_E_NOMEM. */
static enum pncp_code path_of(enum pncp_s3_file file, char **ret_path)
{
    const char *home = pncp_s3_env("HOME"), *given = pncp_s3_env(FILES[file].variable);
    if (given != NULL && (strncmp(given, "~/", 2) != 0 || home == NULL))
        *ret_path = pncp_strdup(given);
    else if (home != NULL)
        *ret_path = pncp_asprintf("%s/%s", home, given == NULL ? FILES[file].path : given + 2);
    else
        return PNCP_OK;
    return *ret_path == NULL ? PNCP_E_NOMEM : PNCP_OK;
}

static enum pncp_code load_file(struct pncp_s3_profile *profile, enum pncp_s3_file file, struct pncp_err *err)
{
    AUTO(pncp_s3_wipe_buf) struct pncp_buf text = {0};
    struct pncp_err why = PNCP_ERR_INIT;
    enum pncp_code rc = path_of(file, &profile->paths[file]);
    if (rc != PNCP_OK)
        return pncp_err_set(err, rc, "read the AWS profile: out of memory");
    if (profile->paths[file] == NULL)
        return PNCP_OK;
    rc = pncp_s3_read_file(profile->paths[file], PNCP_S3_FILE_MAX_BYTES, &text, &why);
    if (rc == PNCP_OK)
        return pncp_s3_profile_parse(profile, file, profile->paths[file], pncp_buf_view(&text), err);
    /* As the AWS tools do. A container's HOME is often another user's, whose files are not meant for us. */
    if (why.os_errno == ENOENT || why.os_errno == ENOTDIR ||
        (why.os_errno == EACCES && pncp_s3_env(FILES[file].variable) == NULL))
        return PNCP_OK;
    if (err != NULL)
        *err = why;
    return rc;
}

enum pncp_code pncp_s3_profile_load(struct pncp_s3_profile *ret_profile, struct pncp_err *err)
{
    AUTO(pncp_s3_profile_release) struct pncp_s3_profile profile = {0};
    const char *variable = pncp_s3_env("AWS_PROFILE") != NULL ? "AWS_PROFILE" : "AWS_DEFAULT_PROFILE";
    const char *name = pncp_s3_env(variable) == NULL ? "default" : pncp_s3_env(variable);
    profile.name = pncp_strdup(name);
    if (profile.name == NULL)
        return pncp_err_set(err, PNCP_E_NOMEM, "read the AWS profile: out of memory");
    for (size_t file = 0; file < PNCP_S3_FILES; file++) {
        enum pncp_code rc = load_file(&profile, (enum pncp_s3_file)file, err);
        if (rc != PNCP_OK)
            return rc;
    }
    if (!profile.found && strcmp(name, "default") != 0) {
        const char *no_file = "(HOME is not set)", *const *paths = (const char *const *)profile.paths;
        return pncp_err_set(err, PNCP_E_USAGE, "%s: no profile \"%.100s\" in %.120s or %.120s", variable, name,
                            paths[0] == NULL ? no_file : paths[0], paths[1] == NULL ? no_file : paths[1]);
    }
    *ret_profile = profile;
    profile = (struct pncp_s3_profile){0};
    return PNCP_OK;
}

void pncp_s3_profile_release(struct pncp_s3_profile *profile)
{
    pncp_free(profile->name);
    for (size_t file = 0; file < PNCP_S3_FILES; file++) {
        pncp_free(profile->paths[file]);
        for (size_t i = 0; i < PNCP_S3_SETTINGS; i++)
            pncp_s3_wipe_text(&profile->values[file][i]);
    }
    *profile = (struct pncp_s3_profile){0};
}

const char *pncp_s3_setting_name(enum pncp_s3_setting setting)
{
    return SETTING_NAMES[setting];
}

const char *pncp_s3_profile_get(const struct pncp_s3_profile *profile, enum pncp_s3_setting setting,
                                const char **ret_path)
{
    size_t file =
        profile->values[PNCP_S3_FILE_CREDENTIALS][setting] != NULL ? PNCP_S3_FILE_CREDENTIALS : PNCP_S3_FILE_CONFIG;
    *ret_path = profile->paths[file];
    return profile->values[file][setting];
}
