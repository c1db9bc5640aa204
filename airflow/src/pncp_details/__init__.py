"""pncp-details from Python and from Airflow. Nothing here imports Airflow: pncp_details.operators does."""

from pncp_details.fetch import fetch_details_for_date
from pncp_details.tool import ToolError

__all__ = ["ToolError", "fetch_details_for_date"]
__version__ = "0.1.0"
