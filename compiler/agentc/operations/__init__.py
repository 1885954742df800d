"""What operators need of an agent, written from its specs: dashboards, alerts, a runbook."""
