"""The console: what people see of the service in a browser, rendered here, by the roles of the API."""
