from helpers import get_config, get_current_namespace, get_secret, str_to_bool

print(get_secret("DATABASE_URL") is not None or get_secret("PG_PASS") is not None)
#> True
print(get_secret("PAYMENT_TOKEN"))
#> None
print(get_secret("PAYMENT_TOKEN", "not set"))
#> not set
print(get_config("LOG_LEVEL"))
#> INFO
print(str_to_bool(get_config("DRY_RUN", "off")))
#> False
print(get_current_namespace())
#> default
