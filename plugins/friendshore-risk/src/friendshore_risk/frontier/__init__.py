"""The price of independence: the cheapest plan for every cap on money that depends on countries of concern."""
