"""The names that functions use most, in one place: ``from helpers import get_secret, init_db_connection``."""

from database import (
    check_port_open,
    db_row_to_dict,
    db_rows_to_array,
    execute,
    fetch_all,
    fetch_one,
    init_db_connection,
    transaction,
)
from handler import CORS_HEADERS, by_method, cors_headers, entrypoint, format_error_response, get_user_from_headers
from logs import request_id, set_up_logging
from settings import get_config, get_current_namespace, get_secret, str_to_bool
