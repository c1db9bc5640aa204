/* Whole reads, writes and copies on real descriptors, and what they say when a file ends early. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int dir_fd = -1;
static char dir_path[] = "/tmp/pncp-test-file-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(dir_path) == NULL)
        return -1;
    dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir_fd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const left[] = {"a/b/c", "a/b/x", "a/b", "a", "file", "from", "to"};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(left); i++) {
        if (unlinkat(dir_fd, left[i], 0) != 0)
            (void)unlinkat(dir_fd, left[i], AT_REMOVEDIR);
    }
    (void)close(dir_fd);
    return rmdir(dir_path);
}

static int new_file(const char *name)
{
    int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void test_write_then_read_anywhere(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int fd = new_file("file");
    char text[8] = "";
    assert_int_equal(pncp_file_write(fd, "0123456789", 10, "file", NULL), PNCP_OK);
    assert_int_equal(pncp_file_write(fd, NULL, 0, "file", NULL), PNCP_OK);
    assert_int_equal(pncp_file_pread(fd, text, 4, 3, "file", NULL), PNCP_OK);
    assert_string_equal(text, "3456");
    assert_int_equal(pncp_file_pread(fd, text, 0, 99, "file", NULL), PNCP_OK);
}

static void test_a_file_that_ends_early_is_said_so(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int fd = new_file("file");
    struct pncp_err err = PNCP_ERR_INIT;
    char text[16];
    assert_int_equal(pncp_file_write(fd, "0123456789", 10, "file", NULL), PNCP_OK);
    assert_int_equal(pncp_file_pread(fd, text, 7, 6, "day file", &err), PNCP_E_PARSE);
    assert_string_equal(err.msg, "day file ends 3 bytes early");
    assert_int_equal(pncp_file_pread(fd, text, 1, 10, "day file", &err), PNCP_E_PARSE);
}

static void test_descriptors_that_cannot(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int read_only = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(pncp_buf_release) struct pncp_buf buf = {0};
    struct pncp_err err = PNCP_ERR_INIT;
    char byte;
    assert_int_equal(pncp_file_write(read_only, "x", 1, "x", &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, EBADF);
    assert_int_equal(strncmp(err.msg, "write x: ", 9), 0);
    assert_int_equal(pncp_file_pread(read_only, &byte, 1, 0, "x", &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, EISDIR);
    assert_int_equal(pncp_file_slurp(read_only, &buf, "x", &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, EISDIR);
    assert_int_equal(pncp_file_copy(-1, 0, read_only, 1, "x", &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, EBADF);
}

static void test_full_device(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct pncp_err err = PNCP_ERR_INIT;
    assert_true(fd >= 0);
    assert_int_equal(pncp_file_write(fd, "x", 1, "day file", &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, ENOSPC);
    assert_true(err.transient);
}

static void test_slurp_keeps_to_the_ceiling(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int fd = new_file("file");
    char block[5000];
    memset(block, 'x', sizeof(block));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pncp_file_write(fd, block, sizeof(block), "file", NULL), PNCP_OK);
    static const struct {
        size_t max_bytes;
        enum pncp_code code;
    } cases[] = {{0, PNCP_OK}, {10002, PNCP_OK}, {10001, PNCP_E_LIMIT}, {1, PNCP_E_LIMIT}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_buf_release) struct pncp_buf buf = PNCP_BUF_INIT(cases[i].max_bytes);
        struct pncp_err err = PNCP_ERR_INIT;
        enum pncp_code rc = cases[i].max_bytes == 1 ? PNCP_OK : pncp_buf_text(&buf, "< ");
        assert_int_equal(rc, PNCP_OK);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(pncp_file_slurp(fd, &buf, "file", &err), cases[i].code);
        if (cases[i].code == PNCP_OK) { /* appended to what was there */
            assert_int_equal(buf.len, 10002);
            assert_memory_equal(buf.data, "< x", 3);
        } else {
            assert_int_equal(strncmp(err.msg, "file is larger than ", 20), 0);
        }
    }
}

/* Longer than the buffer of the copy that goes through memory; `to` begins where it stands. */
static void copy_and_compare(int from, uint64_t at, int to, uint64_t len)
{
    static char want[200001], got[200001 + 3];
    assert_int_equal(pncp_file_write(to, "abc", 3, "to", NULL), PNCP_OK);
    assert_int_equal(pncp_file_copy(from, at, to, len, "from", NULL), PNCP_OK);
    assert_int_equal(pncp_file_pread(from, want, (size_t)len, at, "from", NULL), PNCP_OK);
    assert_int_equal(pncp_file_pread(to, got, (size_t)len + 3, 0, "to", NULL), PNCP_OK);
    assert_memory_equal(got, "abc", 3);
    assert_memory_equal(got + 3, want, len);
    assert_int_equal(lseek(to, 0, SEEK_CUR), (off_t)len + 3);
}

static void fill(int fd)
{
    for (uint32_t i = 0; i < 50001; i++)
        assert_int_equal(pncp_file_write(fd, &i, sizeof(i), "from", NULL), PNCP_OK);
}

static void test_copy(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int from = new_file("from");
    fill(from); /* its own position is at the end: the copy begins at the start */
    static const struct {
        uint64_t at, len;
    } cases[] = {{0, 0}, {0, 1}, {0, 4096}, {0, 200001}, {1, 4096}, {4097, 100000}, {200003, 1}};
    for (size_t i = 0; i < PNCP_ARRAY_LEN(cases); i++) {
        AUTO(pncp_fd_close) int to = new_file("to");
        copy_and_compare(from, cases[i].at, to, cases[i].len);
    }
}

static void test_copy_where_the_kernel_does_not(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int from = new_file("from");
    fill(from);
    AUTO(pncp_fd_close) int to = memfd_create("to", MFD_CLOEXEC); /* another file system: EXDEV or a copy */
    assert_true(to >= 0);
    copy_and_compare(from, 3, to, 200001);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0); /* copy_file_range refuses a pipe: EINVAL */
    assert_int_equal(pncp_file_copy(from, 0, ends[1], 30000, "from", NULL), PNCP_OK);
    static char want[30000], got[30000];
    assert_int_equal(pncp_file_pread(from, want, sizeof(want), 0, "from", NULL), PNCP_OK);
    for (size_t done = 0; done < sizeof(got);) {
        ssize_t step = read(ends[0], got + done, sizeof(got) - done);
        assert_true(step > 0);
        done += (size_t)step;
    }
    assert_memory_equal(got, want, sizeof(want));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_copy_of_more_than_there_is(void **state)
{
    (void)state;
    AUTO(pncp_fd_close) int from = new_file("from");
    AUTO(pncp_fd_close) int to = new_file("to");
    struct pncp_err err = PNCP_ERR_INIT;
    fill(from);
    assert_int_equal(pncp_file_copy(from, 0, to, 200005, "from", &err), PNCP_E_PARSE);
    assert_string_equal(err.msg, "from ends 1 bytes early");
    assert_int_equal(pncp_file_copy(from, 200003, to, 2, "from", &err), PNCP_E_PARSE);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void test_mkdirs(void **state)
{
    (void)state;
    struct pncp_err err = PNCP_ERR_INIT;
    assert_int_equal(pncp_file_mkdirs(dir_fd, "a/b/c", &err), PNCP_OK);
    assert_true(is_folder("a/b/c"));
    assert_int_equal(pncp_file_mkdirs(dir_fd, "a//b/c/", &err), PNCP_OK);
    assert_int_equal(pncp_file_mkdirs(dir_fd, "a", &err), PNCP_OK);
    int fd = new_file("a/b/x");
    pncp_fd_close(&fd);
    assert_int_equal(pncp_file_mkdirs(dir_fd, "a/b/x/y", &err), PNCP_E_IO);
    assert_int_equal(err.os_errno, ENOTDIR);
    assert_int_equal(strncmp(err.msg, "make folder a/b/x/y: ", 21), 0);
    char absolute[sizeof(dir_path) + 8];
    (void)snprintf(absolute, sizeof(absolute), "%s/a/b", dir_path);
    assert_int_equal(pncp_file_mkdirs(-1, absolute, &err), PNCP_OK);
}

/* What pncp_lake_hold asks for when a path has no folder. */
static void test_mkdirs_of_no_folder_makes_none(void **state)
{
    (void)state;
    assert_int_equal(pncp_file_mkdirs(dir_fd, "", NULL), PNCP_OK);
    assert_int_equal(pncp_file_mkdirs(dir_fd, "/", NULL), PNCP_OK);
}

static void test_close_leaves_no_descriptor(void **state)
{
    (void)state;
    int fd = new_file("file"), number = fd;
    pncp_fd_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    pncp_fd_close(&fd);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_then_read_anywhere),
        cmocka_unit_test(test_a_file_that_ends_early_is_said_so),
        cmocka_unit_test(test_descriptors_that_cannot),
        cmocka_unit_test(test_full_device),
        cmocka_unit_test(test_slurp_keeps_to_the_ceiling),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_copy_where_the_kernel_does_not),
        cmocka_unit_test(test_copy_of_more_than_there_is),
        cmocka_unit_test(test_mkdirs),
        cmocka_unit_test(test_mkdirs_of_no_folder_makes_none),
        cmocka_unit_test(test_close_leaves_no_descriptor),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
