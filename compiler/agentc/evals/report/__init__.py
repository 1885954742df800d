"""Reports of evals, one file for each format. Text from runs is escaped in all of them."""
