"""The rules: one file each, in one explicit table. Stages import a rule's `report`, the driver runs `CHECKS`."""
