"""What each loss costs once it has come, and the plan from which any one can be met."""
