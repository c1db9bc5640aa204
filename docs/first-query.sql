-- The five dearest itens of a day. DuckDB, in the folder that holds the lake; a day is one file, itens are nested rows.
SELECT numeroControlePNCP, item.numeroItem, left(item.descricao, 22) AS descricao, item.quantidade, item.valorTotal
FROM (
    SELECT numeroControlePNCP, unnest(itens) AS item
    FROM 'lake/pncp_details/year=2025/month=10/day=22/details.parquet'
)
ORDER BY item.valorTotal DESC, numeroControlePNCP, item.numeroItem
LIMIT 5;
