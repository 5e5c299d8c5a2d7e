"""The console of the office: FastAPI routers and Jinja2 templates."""
