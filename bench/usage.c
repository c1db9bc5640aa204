/*
 * Runs a program and writes what it used. A child's peak memory counts from the fork, so what a Python process starts
 * by itself looks as large as Python; this program is small, and in between.
 *
 *     usage FILE PROGRAM [ARGUMENT …]    FILE gets {"seconds":…,"cpu_ms":…,"peak_kib":…}; exits as PROGRAM does
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: usage FILE PROGRAM [ARGUMENT ...]\n");
        return 2;
    }
    double begun = now_s();
    pid_t child = fork();
    if (child == 0) {
        (void)execvp(argv[2], &argv[2]);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    struct rusage used;
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        perror(argv[2]);
        return 126;
    }
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
    FILE *file = fopen(argv[1], "we");
    if (file == NULL ||
        fprintf(file, "{\"seconds\":%.3f,\"cpu_ms\":%.1f,\"peak_kib\":%ld}\n", now_s() - begun, cpu, used.ru_maxrss) <
            0 ||
        fclose(file) != 0) {
        perror(argv[1]);
        return 126;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
