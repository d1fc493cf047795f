"""A local Fission: its router and its Python environment, without a cluster.

What is not as in a cluster is marked with `# fidelity: <name>` where it happens.

* `functions`    what is served: the Fission blocks as routes and functions
* `router`       which route a path belongs to (pure)
* `headers`      what the router adds to and takes from requests and answers (pure)
* `gateway`      the router as a WSGI application that calls functions through a callable
* `http`         the port: an HTTP/1.1 server; `http_request` reads requests (pure)
* `wsgi`         calling a WSGI application as the pod's server does
* `environment`  one function as python/server.py of Fission's Python environment runs it
* `triggers`     timers, queues and watches; `schedule` computes when a timer is due (pure)
* `client`       gateway and environments in one process, for tests
* `workers`      one process per function, for `python -m kit serve`; `worker` runs in it, `frames` between them
* `watch`        notices changed files
* `pages`        what is answered below `/_dev/`, with the files of `static/`
* `server`       the reload, start and end; `state` notes where it listens
* `command`      `python -m kit serve`; `commands` has `fire` and `send`, which ask the running server
"""
