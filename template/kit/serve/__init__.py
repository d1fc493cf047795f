"""A local Fission: its router and its Python environment, without a cluster.

* `functions`   what is served: the Fission blocks as routes and functions
* `router`      which route a path belongs to (pure)
* `headers`     what the router adds to and takes from requests and answers (pure)
* `gateway`     the router as a WSGI application that calls functions through a callable
* `wsgi`        calling a WSGI application
* `environment` one function as python/server.py of Fission's Python environment runs it
* `client`      gateway and environments in one process, for tests
* `workers`     one process per function, for `python -m kit serve`; `worker` runs in it, `frames` between them
* `watch`       notices changed files
* `pages`       what is answered below `/_dev/`
* `server`      the port, the reload, start and end
"""
