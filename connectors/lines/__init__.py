"""Lines: what budgets of ERP systems are made of; how they become ours, and are changed back."""
