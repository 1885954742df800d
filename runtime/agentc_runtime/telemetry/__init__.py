"""What runs look like from outside: traces, metrics, logs. None of it is imported until it is asked for."""
