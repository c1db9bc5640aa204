#include "odd_text.h"

#include "mix.h"

#define NBSP "\xC2\xA0"
#define NONCHAR_FFFE "\xEF\xBF\xBE"
#define NONCHAR_FFFF "\xEF\xBF\xBF"
#define AMBULANCE "\xF0\x9F\x9A\x91"
#define COMBINING_ACUTE "\xCC\x81"
#define ZERO_WIDTH_SPACE "\xE2\x80\x8B"

static const char *const ODD[] = {
    "Aquisição de" NBSP "material" NBSP "de consumo",
    "Registro de preços" NONCHAR_FFFE "para aquisição",
    "AQUISIÇÃO" NONCHAR_FFFF " DE EQUIPAMENTOS " NONCHAR_FFFF,
    "   Contratação com brancos à frente",
    "Contratação com brancos ao fim  ",
    "Lote 1 - papel\\nLote 2 - caneta\\r\\nLote 3 - borracha\\n\\n\\tLote 4 - régua",
    "Aquisição de \\\"notebooks\\\" e 'tablets', caminho C:\\\\compras\\\\2025, 50% / 100%",
    "Locação de ambulância " AMBULANCE " tipo D " AMBULANCE AMBULANCE,
    "PREFEITURA MUNICIPAL DE AMPE´RE e cafe" COMBINING_ACUTE,
    "Texto com controle \\u0001 e \\u001f, DEL \x7F, e espaço" ZERO_WIDTH_SPACE "invisível",
    "<b>HTML</b> &amp; ${variável} '; DROP TABLE itens; --",
    "",
    " ",
    "null",
};

static void longest_text(struct sim_text *text)
{
    static const char PART[] = "ESPECIFICAÇÃO TÉCNICA: "; /* 23 characters, three of two bytes */
    size_t chars = 0;

    for (size_t i = 0; chars < SIM_TEXT_MAX_CHARS; i = (i + 1) % (sizeof(PART) - 1)) {
        sim_text_char(text, PART[i]);
        chars +=
            ((unsigned char)PART[(i + 1) % (sizeof(PART) - 1)] & 0xC0) != 0x80; /* the next byte begins a character */
    }
}

void sim_odd_text(struct sim_text *text, uint64_t hash)
{
    uint32_t kind = sim_pick(hash, 0x0dd, (uint32_t)PNCP_ARRAY_LEN(ODD) + 1);

    SIM_PUT(text, "\"");
    if (kind == PNCP_ARRAY_LEN(ODD))
        longest_text(text);
    else
        sim_text_str(text, ODD[kind]);
    SIM_PUT(text, "\"");
}
