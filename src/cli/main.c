#include "cli/cli.h"

int main(int argc, char **argv)
{
    return pncp_cli_run(argc, argv);
}
