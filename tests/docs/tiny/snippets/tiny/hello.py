"""Say hello."""

print("Hello, Ada!")
#> Hello, Ada!
