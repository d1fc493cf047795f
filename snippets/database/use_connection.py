from helpers import execute, fetch_all, fetch_one, init_db_connection, transaction

# One statement that stands for itself: one round trip, no BEGIN and COMMIT.
execute("INSERT INTO items (name, price) VALUES (%(name)s, %(price)s)", {"name": "Kettle", "price": 12})
print(fetch_one("SELECT name, price FROM items WHERE name = %(name)s", {"name": "Kettle"}))
#> {'name': 'Kettle', 'price': Decimal('12.00')}

# Several statements, all or nothing.
try:
    with transaction() as cursor:
        cursor.execute("UPDATE items SET price = price / 2 WHERE name = 'Kettle'")
        raise RuntimeError("something else went wrong")
except RuntimeError:
    pass
print(fetch_all("SELECT price FROM items"))
#> [{'price': Decimal('12.00')}]

# The psycopg2 connection itself; the with block commits.
with init_db_connection() as connection, connection.cursor() as cursor:
    cursor.execute("DELETE FROM items RETURNING name")
    print(cursor.fetchall())
    #> [('Kettle',)]
