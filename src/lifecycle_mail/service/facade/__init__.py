"""`Lifecycle`, in parts: what one calls, each part a thin front of the modules of the service."""
