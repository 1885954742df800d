"""What holds for all tests."""

from hypothesis import settings

# Machines are noisy: an example that takes long is no finding, and no test asserts a time.
settings.register_profile("agentc", deadline=None)
settings.load_profile("agentc")
