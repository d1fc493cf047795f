from exceptions import ConflictError, ServiceException
from flask import Flask
from helpers import entrypoint


@entrypoint
def main():
    """Sell an item."""
    raise ConflictError("The item is sold out.", details={"left": 0})


# Fission's environment calls main() within a Flask request; this is the same without a pod.
with Flask("pod").test_request_context(headers={"X-Fission-Request-Id": "r-1", "X-User": "ada"}):
    response = main()

print(response.status_code, response.content_type)
#> 409 application/problem+json
for key, value in response.json.items():
    print(f"{key}: {value}")
    #> error_code: CONFLICT
    #> http_status: 409
    #> error_msg: The item is sold out.
    #> x_user: ada
    #> details: {'left': 0}
    #> type: about:blank
    #> title: Conflict
    #> status: 409
    #> detail: The item is sold out.
    #> instance: /
    #> request_id: r-1
    #> trace_id: None

# An error that has no class of its own:
teapot = ServiceException("TEAPOT", 418, "This service makes tea only.")
print(teapot.to_dict()["title"])
#> I'm a Teapot
