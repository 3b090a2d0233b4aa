"""friendshore: the cheapest compliant supplier mix for critical materials."""
