from helpers import execute
from models import ListQuery, PaginatedResponse, Price
from paging import Listing, fetch_page
from pydantic import ValidationError


class NameFilter(ListQuery):
    min_price: Price | None = None


NAMES = Listing(
    select="SELECT id, name, price FROM items",
    count="SELECT count(*) FROM items",
    where={"min_price": "price >= %(min_price)s"},
    sort={"name": "name", "price": "price"},
    default_sort="name",
)

execute("INSERT INTO items (name, price) VALUES ('cup', 4), ('jug', 9), ('pan', 15), ('pot', 20)")

query = {"min_price": "5", "limit": "2", "total": "true"}
page = fetch_page(NAMES, NameFilter.model_validate_strings(query))
print([item["name"] for item in page["items"]], page["has_more"], page["total"])
#> ['jug', 'pan'] True 3

page = fetch_page(NAMES, NameFilter.model_validate_strings({**query, "cursor": page["next_cursor"]}))
print([item["name"] for item in page["items"]], page["has_more"], page["next_cursor"])
#> ['pot'] False None

print(sorted(PaginatedResponse.model_validate(page).model_dump()))
#> ['has_more', 'items', 'limit', 'next_cursor', 'offset', 'total']

try:
    NameFilter.model_validate_strings({"limit": "1000", "colour": "red"})
except ValidationError as error:
    print([(problem["loc"], problem["type"]) for problem in error.errors()])
    #> [(('limit',), 'less_than_equal'), (('colour',), 'extra_forbidden')]
