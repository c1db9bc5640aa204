/* An environment without anything that points to a store, and a HOME of its own with files of the AWS tools. */
#ifndef S3_FIXTURE_H
#define S3_FIXTURE_H

#include "base/base.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct s3_home {
    char folder[40];
};

static inline void s3_env_clear(void)
{
    static const char *const prefixes[] = {"AWS_", "MINIO_", "BUCKET_BRONZE=", "CURL_CA_BUNDLE=", "SSL_CERT_FILE="};
    for (char **entry = environ; *entry != NULL;) {
        char name[200] = "";
        for (size_t i = 0; i < PNCP_ARRAY_LEN(prefixes); i++) {
            if (strncmp(*entry, prefixes[i], strlen(prefixes[i])) == 0)
                (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(*entry, "="), *entry);
        }
        if (name[0] == '\0')
            entry++;
        else
            assert_int_equal(unsetenv(name), 0); /* the next one is in its place now */
    }
}

/* "NAME=value", one a line; NULL is fine. @ at a value's begin stands for the home folder. */
static inline void s3_env_set(const struct s3_home *home, const char *lines)
{
    while (lines != NULL && *lines != '\0') {
        char line[400], value[500];
        size_t len = strcspn(lines, "\n");
        (void)snprintf(line, sizeof(line), "%.*s", (int)len, lines);
        char *equals = strchr(line, '=');
        assert_non_null(equals);
        *equals = '\0';
        bool here = equals[1] == '@';
        (void)snprintf(value, sizeof(value), "%s%s", here ? home->folder : "", equals + 1 + here);
        assert_int_equal(setenv(line, value, 1), 0);
        lines += len + (lines[len] == '\n');
    }
}

/* A file below the home folder; NULL removes it. */
static inline void s3_home_put(const struct s3_home *home, const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/%s", home->folder, name);
    (void)unlink(path);
    if (text == NULL)
        return;
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600); /* not stdio: its buffers keep what was written */
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static inline void s3_home_open(struct s3_home *home)
{
    char path[200];
    s3_env_clear();
    (void)snprintf(home->folder, sizeof(home->folder), "/tmp/pncp-s3-XXXXXX");
    assert_non_null(mkdtemp(home->folder));
    (void)snprintf(path, sizeof(path), "%s/.aws", home->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(setenv("HOME", home->folder, 1), 0);
}

/* Only files that were made with these names go away, so that nothing else can. */
static inline void s3_home_close(const struct s3_home *home)
{
    static const char *const files[] = {".aws/credentials", ".aws/config", "a", "b", "token"};
    char path[200];
    for (size_t i = 0; i < PNCP_ARRAY_LEN(files); i++)
        s3_home_put(home, files[i], NULL);
    (void)snprintf(path, sizeof(path), "%s/.aws", home->folder);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(home->folder), 0);
}

#endif
