"""Every operation of the service, as a request that is not sent yet."""
