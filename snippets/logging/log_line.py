import json
import logging

from flask import Flask
from logs import format_record, set_up_logging

set_up_logging()  # @entrypoint does this for you
log = logging.getLogger("items")

with Flask("pod").test_request_context(headers={"X-Fission-Request-Id": "r-1", "X-User": "ada"}):
    record = log.makeRecord("items", logging.INFO, __file__, 1, "reserved %s", ("Kettle",), None, extra={"left": 3})
    line = json.loads(format_record(record))

del line["ts"]  # the time differs from run to run
for key, value in line.items():
    print(f"{key}: {value}")
    #> level: INFO
    #> msg: reserved Kettle
    #> fission.request.id: r-1
    #> user: ada
    #> logger: items
    #> left: 3
print(log.isEnabledFor(logging.DEBUG))
#> False
