"""The agentc compiler: specs in, diagnostics or a bundle out."""
