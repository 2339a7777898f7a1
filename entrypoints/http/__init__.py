"""The HTTP service: Litestar over the same services as the command line.

Read in this order: `app`, `service`, `access`, `bodies`, `controllers.faces`.
"""
