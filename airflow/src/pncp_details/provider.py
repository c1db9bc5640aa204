"""What Airflow asks a provider package."""


def get_provider_info() -> dict:
    return {
        "package-name": "pncp-details-airflow",
        "name": "PNCP details",
        "description": "Details of Brazil's public procurement (PNCP), by the program pncp-details.",
        "operators": [{"integration-name": "PNCP details", "python-modules": ["pncp_details.operators"]}],
        "integrations": [
            {"integration-name": "PNCP details", "external-doc-url": "https://pncp.gov.br/", "tags": ["service"]}
        ],
    }
