from vault import VaultError, decrypt_vault, encrypt_vault, new_vault_key

old_key, new_key = new_vault_key(), new_vault_key()
place = "prod/fission-your-service-env/PG_PASS"

sealed = encrypt_vault("correct horse", old_key, bound_to=place)
print(sealed.split(":")[:2], len(sealed) > 60)
#> ['vault', 'v2'] True
print(decrypt_vault(sealed, old_key, bound_to=place))
#> correct horse

# The value cannot be moved to another name, not even with the right key.
try:
    decrypt_vault(sealed, old_key, bound_to="prod/fission-your-service-env/API_TOKEN")
except VaultError as error:
    print(error)
    #> the vault value does not decrypt at prod/fission-your-service-env/API_TOKEN: it is damaged, or of another place

# A new key goes on top of the ring: it encrypts from now on, the old one still decrypts.
ring = f"{new_key}\n{old_key}"
print(decrypt_vault(sealed, ring, bound_to=place))
#> correct horse
print(encrypt_vault("correct horse", ring, bound_to=place).split(":")[2] == new_key.split(":")[0])
#> True
