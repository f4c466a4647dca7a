"""Which mock servers refuse the requests of buggy clients."""
