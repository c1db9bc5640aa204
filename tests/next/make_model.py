#!/usr/bin/env python3
"""The tables of a program to come: model.c with the columns below, each at the end of its level.

    make_model.py MODEL.C OUTPUT

Linked before the library, the output takes the place of model.c: the tests get a program that is one schema version ahead,
and the product has no switch for it. The kinds matter, not the names: scalars of several types, a struct, a list with an
extra of its own, and a field of a struct that is there already. pncp-sim sends all but the list.
"""

import re
import sys

TABLES = '''
static const struct pncp_col NATUREZA[] = {
    {"codigo", PNCP_T_TEXT, DICT, NULL, 0, "test: code"},
    {"vigente", PNCP_T_BOOL, 0, NULL, 0, "test: in force"},
};
static const struct pncp_col INTENCAO[] = {{"numero", PNCP_T_TEXT, 0, NULL, 0, "test: number"}};
static const struct pncp_col ASSINATURA[] = {
    {"nome", PNCP_T_TEXT, 0, NULL, 0, "test: who"},
    {"quando", PNCP_T_LOCAL_US, 0, NULL, 0, "test: when"},
    EXTRA_COL("assinatura"),
};
'''
CONTRATACAO = '''
    {"valorAdjudicado", PNCP_T_DEC18_4, NEXT, NULL, 0, "test: amount"},
    {"intencaoRegistroPreco", PNCP_T_STRUCT, NEXT, TREE(INTENCAO), "test: object"},
'''
ADDED = {
    "ORGAO": '{"naturezaJuridica", PNCP_T_STRUCT, NEXT, TREE(NATUREZA), "test: object"},',
    "ITEM": '{"observacaoItem", PNCP_T_TEXT, NEXT, NULL, 0, "test: free text"},',
    "ARQUIVO": '{"tamanhoBytes", PNCP_T_INT64, NEXT, NULL, 0, "test: bytes"},'
               '{"assinaturas", PNCP_T_LIST, NEXT, TREE(ASSINATURA), "test: list"},',
    "DETAILS": CONTRATACAO,
    "LIST": CONTRATACAO,
}


def newest(text):
    """The version that the tables are at."""
    return max([1, *map(int, re.findall(r"SINCE\((\d+)\)", text))])


def main(source, output):
    text = open(source, encoding="utf-8").read()
    tables = "#define NEXT PNCP_COL_SINCE(%d)\n" % (newest(text) + 1) + TABLES
    for name, columns in ADDED.items():
        head = "static const struct pncp_col %s[] = {" % name
        before, found, after = text.partition(head)
        if not found:
            sys.exit("make_model.py: %s has no table %s" % (source, name))
        rows, _, rest = after.partition("\n};")
        text = before + (tables if name == "ORGAO" else "") + head + rows + "\n" + columns + "\n};" + rest
    with open(output, "w", encoding="utf-8") as out:
        out.write(text)


main(*sys.argv[1:])
