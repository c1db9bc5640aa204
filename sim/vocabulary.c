#include "vocabulary.h"

#include "mix.h"

#define WORDS(name, ...)                                                                                               \
    static const char *const name##_LIST[] = {__VA_ARGS__};                                                            \
    const struct sim_words name = {name##_LIST, (uint32_t)PNCP_ARRAY_LEN(name##_LIST)}

const char *sim_word(struct sim_words list, uint64_t hash, uint64_t salt)
{
    return list.words[sim_pick(hash, salt, list.count)];
}

WORDS(SIM_OBJETO_VERBS, "Aquisição de ", "AQUISIÇÃO DE ", "Contratação de empresa especializada para fornecimento de ",
      "REGISTRO DE PREÇOS PARA EVENTUAL E FUTURA AQUISIÇÃO DE ",
      "Registro de preços, pelo prazo de 12 (doze) meses, para ", "Contratação direta, por dispensa de licitação, de ",
      "Prestação de serviços de ", "CONTRATAÇÃO DE PESSOA JURÍDICA PARA PRESTAÇÃO DE SERVIÇOS DE ",
      "Credenciamento de interessados em ", "Execução de obra de ", "Locação de ", "Chamamento público para ");

WORDS(SIM_OBJETO_THINGS, "gêneros alimentícios perecíveis e não perecíveis", "material de expediente",
      "medicamentos da atenção básica", "pneus e câmaras de ar",
      "combustíveis (gasolina comum, etanol e óleo diesel S10)", "manutenção preventiva e corretiva da frota",
      "pavimentação asfáltica em CBUQ e drenagem pluvial", "equipamentos de informática",
      "material de limpeza e higienização", "transporte escolar de alunos da rede pública",
      "material médico-hospitalar", "mobiliário escolar e de escritório", "assessoria e consultoria contábil",
      "licenças de software de gestão pública", "coleta e destinação de resíduos sólidos",
      "uniformes e equipamentos de proteção individual", "refeições prontas tipo marmitex",
      "recarga de gás liquefeito de petróleo", "instrumentos musicais", "locação de tendas, palcos e sonorização",
      "apresentação artística em festividade local", "peças e acessórios para máquinas pesadas",
      "serviços de engenharia para reforma de unidade de saúde", "hortifrutigranjeiros da agricultura familiar",
      "exames laboratoriais e de imagem", "fraldas descartáveis e dietas enterais",
      "material elétrico para iluminação pública em LED", "tubos de concreto e artefatos de cimento",
      "seguro de veículos oficiais", "vigilância patrimonial armada e desarmada", "passagens aéreas nacionais",
      "água mineral em galões de 20 litros", "serviços gráficos e confecção de impressos",
      "inscrição de servidores em curso de capacitação", "ampliação de rede de abastecimento de água",
      "aparelhos de ar-condicionado com instalação");

WORDS(SIM_OBJETO_PURPOSES, ", para atender às necessidades da Secretaria Municipal de Educação",
      ", destinados à Secretaria Municipal de Saúde e Fundo Municipal de Saúde",
      ", conforme condições e exigências estabelecidas no edital e seus anexos",
      ", para atender às demandas das diversas secretarias e fundos do município", ", conforme Termo de Referência",
      ", em atendimento ao Programa Nacional de Alimentação Escolar – PNAE",
      ", para uso da Secretaria de Obras, Viação e Serviços Urbanos",
      ", visando à continuidade dos serviços essenciais da administração",
      ", com recursos do convênio firmado com o Governo do Estado",
      ", no período de 12 meses, prorrogável na forma da Lei nº 14.133/2021",
      ", incluindo mão de obra, peças, deslocamento e todos os insumos necessários",
      ", em regime de empreitada por preço global", "");

WORDS(SIM_ITEM_NOUNS, "ARROZ TIPO 1", "FEIJÃO CARIOCA", "ÓLEO DE SOJA REFINADO", "PAPEL SULFITE A4 75G/M²",
      "CANETA ESFEROGRÁFICA AZUL", "DIPIRONA SÓDICA 500 MG", "AMOXICILINA 500 MG", "SERINGA DESCARTÁVEL 10 ML",
      "LUVA DE PROCEDIMENTO TAMANHO M", "PNEU 275/80 R22,5", "ÓLEO DIESEL S10", "GASOLINA COMUM",
      "ÓLEO LUBRIFICANTE 15W40", "CADEIRA GIRATÓRIA COM BRAÇO", "MESA DE ESCRITÓRIO EM MDF", "COMPUTADOR DE MESA",
      "NOTEBOOK 15,6 POLEGADAS", "IMPRESSORA MULTIFUNCIONAL LASER", "CABO FLEXÍVEL 2,5 MM²",
      "LUMINÁRIA PÚBLICA LED 100W", "CIMENTO CP II 50 KG", "AREIA MÉDIA LAVADA", "TUBO DE CONCRETO DN 600",
      "DETERGENTE NEUTRO 500 ML", "ÁGUA SANITÁRIA 1 L", "SACO DE LIXO 100 L", "CARNE BOVINA MOÍDA",
      "PEITO DE FRANGO CONGELADO", "LEITE UHT INTEGRAL", "BANANA PRATA", "GÁS OXIGÊNIO MEDICINAL",
      "FRALDA GERIÁTRICA TAMANHO G", "TECIDO OXFORD", "CAMISETA EM MALHA PV", "BOTA DE SEGURANÇA", "TONER COMPATÍVEL");

WORDS(SIM_ITEM_TRAITS, ", de primeira qualidade", ", embalagem com 12 unidades", ", validade mínima de 12 meses",
      ", cor a definir", ", com registro na ANVISA", ", conforme norma ABNT vigente",
      ", com garantia mínima de 12 meses", ", selo INMETRO", ", acondicionado em caixa",
      ", tamanho variado, conforme solicitação", ", entrega parcelada",
      ", produto de boa procedência, isento de sujidades", ", 220 V", ", similar, equivalente ou de melhor qualidade",
      ", bivolt", ", aplicação: uso institucional", ", embalagem primária íntegra");

WORDS(SIM_ITEM_UNITS, "UNIDADE", "UND", "UN", "KG", "CAIXA", "PACOTE", "LITRO", "METRO", "M²", "M³", "FRASCO",
      "COMPRIMIDO", "AMPOLA", "GALÃO", "PAR", "Unidade", "Serviço", "MÊS", "HORA", "DIÁRIA", "KM", "SERV",
      "UNIDADE 1.0 MILILITRO ");

WORDS(SIM_SERVICE_NOUNS, "SERVIÇO DE MANUTENÇÃO PREVENTIVA E CORRETIVA", "LOCAÇÃO DE VEÍCULO TIPO VAN COM MOTORISTA",
      "SERVIÇO DE PINTURA PREDIAL", "CONSULTA MÉDICA ESPECIALIZADA", "EXAME DE ULTRASSONOGRAFIA",
      "TRANSPORTE ESCOLAR - ROTA RURAL", "APRESENTAÇÃO ARTÍSTICA MUSICAL", "CURSO DE CAPACITAÇÃO PRESENCIAL",
      "LICENÇA DE USO DE SOFTWARE", "OBRA DE PAVIMENTAÇÃO EM PARALELEPÍPEDO", "ASSESSORIA JURÍDICA",
      "SERVIÇO DE CONFECÇÃO DE IMPRESSOS", "LOCAÇÃO DE SOM E ILUMINAÇÃO", "VIGILÂNCIA DESARMADA - POSTO 12X36",
      "LIMPEZA E CONSERVAÇÃO PREDIAL");

WORDS(SIM_USERS, "Compras.gov.br", "Portal de Compras Públicas", "Licitações-e", "BLL Compras",
      "Licitar Digital - Plataforma de Licitações Online", "Pública Tecnologia Ltda.", "Betha Sistemas",
      "BNC - Bolsa Nacional de Compras", "Sistema Integrado de Gestão Municipal", "Governança Brasil");

WORDS(SIM_TITLES, "Edital", "EDITAL ASSINADO", "Termo de Referência", "Estudo Técnico Preliminar", "Aviso de Dispensa",
      "Aviso-de-Licitacao-_DIA_-DOM_-DOU_---Pr...", "Minuta do Contrato", "DFD", "Mapa de Riscos", "Anexo I",
      "Anexo II - Planilha Orçamentária", "Projeto Básico.pdf", "Ata de Abertura", "Parecer Jurídico", "Despacho",
      "Resposta à Impugnação", "15303703900022025000", "Ratificação", "Autorização");

WORDS(SIM_PLACE_FIRST, "Santa Rita", "São José", "Nova Esperança", "Boa Vista", "Monte Alegre", "Lagoa", "Barra",
      "Campo", "Ribeirão", "Porto", "Serra", "Vila", "Santo Antônio", "Bom Jesus", "São João", "Alto", "Pedra", "Rio",
      "Conceição", "Nossa Senhora", "Águas", "Pinhal", "Morro", "Passo");
WORDS(SIM_PLACE_LAST, " do Sul", " da Serra", " das Flores", " do Norte", " dos Pinhais", " do Ipê", " da Mata",
      " do Cerrado", " das Araras", " d'Oeste", " do Campo", " das Pedras", " do Araçá", " da Lagoa Azul",
      " dos Buritis", " do Jequitibá", " Verde", " Grande", " Alegre", " do Pontal", " da Capivara", " do Tamanduá",
      " das Palmeiras", " do Caju");

const struct sim_uf SIM_UF[SIM_UFS] = {
    {"Rondônia", "RO", 11},
    {"Acre", "AC", 12},
    {"Amazonas", "AM", 13},
    {"Roraima", "RR", 14},
    {"Pará", "PA", 15},
    {"Amapá", "AP", 16},
    {"Tocantins", "TO", 17},
    {"Maranhão", "MA", 21},
    {"Piauí", "PI", 22},
    {"Ceará", "CE", 23},
    {"Rio Grande do Norte", "RN", 24},
    {"Paraíba", "PB", 25},
    {"Pernambuco", "PE", 26},
    {"Alagoas", "AL", 27},
    {"Sergipe", "SE", 28},
    {"Bahia", "BA", 29},
    {"Minas Gerais", "MG", 31},
    {"Espírito Santo", "ES", 32},
    {"Rio de Janeiro", "RJ", 33},
    {"São Paulo", "SP", 35},
    {"Paraná", "PR", 41},
    {"Santa Catarina", "SC", 42},
    {"Rio Grande do Sul", "RS", 43},
    {"Mato Grosso do Sul", "MS", 50},
    {"Mato Grosso", "MT", 51},
    {"Goiás", "GO", 52},
    {"Distrito Federal", "DF", 53},
};

const struct sim_amparo SIM_AMPARO[] = {
    {"{\"descricao\":\"pregão: modalidade de licitação obrigatória para aquisição de bens e serviços "
     "comuns\",\"nome\":\"Lei 14.133/2021, Art. 28, I\","
     "\"codigo\":1}"},
    {"{\"descricao\":\"concorrência: modalidade de licitação para contratação de bens e serviços especiais e de obras "
     "e serviços comuns e especiais de "
     "engenharia\",\"codigo\":2,\"nome\":\"Lei 14.133/2021, Art. 28, II \"}"},
    {"{\"descricao\":\"concurso\",\"codigo\":3,\"nome\":\"Lei 14.133/2021, Art. 28, III\"}"},
    {"{\"descricao\":\"leilão\",\"codigo\":4,\"nome\":\"Lei 14.133/2021, Art. 28, IV\"}"},
    {"{\"descricao\":\"diálogo competitivo\",\"codigo\":5,\"nome\":\"Lei 14.133/2021, Art. 28, V\"}"},
    {"{\"descricao\":\"inexigibilidade: fornecedor exclusivo\",\"codigo\":6,\"nome\":\"Lei 14.133/2021, Art. "
     "74,\xC2\xA0I\"}"},
    {"{\"descricao\":\"obras e serviços de engenharia de pequeno valor\",\"codigo\":18,\"nome\":\"Lei 14.133/2021, "
     "Art. 75, I\"}"},
    {"{\"descricao\":\"outros serviços e compras de pequeno valor\",\"codigo\":19,\"nome\":\"Lei 14.133/2021, Art. 75, "
     "II\"}"},
    {"{\"descricao\":\"pregão, empresas estatais\",\"codigo\":113,\"nome\":\"Lei 13.303/2016, Art. 32, IV\"}"},
    {"{\"descricao\":\"credenciamento, contratações paralelas e não excludentes\",\"codigo\":140,\"nome\":\"Lei "
     "14.133/2021, Art. 79, I\"}"},
};

/* Shares: counts of 2025-07-10, one added to Concurso so that they sum to 6,500. */
const struct sim_modalidade SIM_MODALIDADE[SIM_MODALIDADES + 1] = {
    [1] = {"Leilão - Eletrônico", 8, {3, 3}, 1, {1, 6, 1}},
    [2] = {"Diálogo Competitivo", 0, {4, 4}, 1, {1, 1, 1}},
    [3] = {"Concurso", 1, {2, 2}, 1, {1, 1, 1}},
    [4] = {"Concorrência - Eletrônica", 223, {1, 1}, 1, {1, 3, 2}},
    [5] = {"Concorrência - Presencial", 17, {1, 1}, 1, {1, 6, 3}},
    [6] = {"Pregão - Eletrônico", 1802, {0, 8}, 1, {3, 1, 6}},
    [7] = {"Pregão - Presencial", 63, {0, 0}, 1, {1, 1, 1}},
    [8] = {"Dispensa", 3030, {7, 6}, 2, {4, 5, 4}},
    [9] = {"Inexigibilidade", 1244, {5, 5}, 3, {5, 5, 5}},
    [10] = {"Manifestação de Interesse", 1, {9, 9}, 4, {5, 5, 5}},
    [11] = {"Pré-qualificação", 5, {9, 9}, 4, {5, 5, 5}},
    [12] = {"Credenciamento", 105, {9, 9}, 4, {5, 5, 5}},
    [13] = {"Leilão - Presencial", 1, {3, 3}, 1, {1, 6, 1}},
};

const char *const SIM_INSTRUMENTO[5] = {NULL, "Edital", "Aviso de Contratação Direta",
                                        "Ato que autoriza a Contratação Direta", "Edital de Chamamento Público"};
const char *const SIM_MODO[7] = {
    NULL, "Aberto", "Fechado", "Aberto-Fechado", "Dispensa Com Disputa", "Não se aplica", "Fechado-Aberto"};
const char *const SIM_CRITERIO[10] = {NULL,
                                      "Menor preço",
                                      "Maior desconto",
                                      NULL,
                                      "Técnica e preço",
                                      "Maior lance",
                                      "Maior retorno econômico",
                                      "Não se aplica",
                                      "Melhor técnica",
                                      "Conteúdo artístico"};
const char *const SIM_SITUACAO_COMPRA[5] = {NULL, "Divulgada no PNCP", "Revogada", "Anulada", "Suspensa"};
const char *const SIM_SITUACAO_ITEM[6] = {NULL,      "Em andamento", "Homologado", "Anulado/Revogado/Cancelado",
                                          "Deserto", "Fracassado"};
const char *const SIM_BENEFICIO[6] = {NULL,
                                      "Participação exclusiva para ME/EPP",
                                      "Subcontratação para ME/EPP",
                                      "Cota reservada para ME/EPP",
                                      "Sem benefício",
                                      "Não se aplica"};
const char *const SIM_TIPO_DOCUMENTO[21] = {NULL,
                                            "Aviso de Contratação Direta",
                                            "Edital",
                                            "Minuta do Contrato",
                                            "Termo de Referência",
                                            "Anteprojeto",
                                            "Projeto Básico",
                                            "Estudo Técnico Preliminar",
                                            "Projeto Executivo",
                                            "Mapa de Riscos",
                                            "DFD",
                                            "Ata de Registro de Preço",
                                            "Contrato",
                                            "Termo de Rescisão",
                                            "Termo Aditivo",
                                            "Termo de Apostilamento",
                                            "Outros Documentos",
                                            "Nota de Empenho",
                                            "Relatório Final de Contrato",
                                            "Minuta de Ata de Registro de Preços",
                                            "Ato que autoriza a Contratação Direta"};
const struct sim_fonte SIM_FONTE[5] = {
    {NULL, NULL},
    {"Não se aplica", "Opção destinada às modalidades Leilão (Presencial ou Eletrônico), Credenciamento, Manifestação "
                      "de Interesse e Pré-qualificação."},
    {"Municipal", "Recurso orçamentário municipal disponível e devidamente vinculado à despesa que será realizada."},
    {"Estadual", "Recurso orçamentário estadual disponível e devidamente vinculado à despesa que será realizada."},
    {"Federal", "Recurso orçamentário federal disponível e devidamente vinculado à despesa que será realizada."},
};
