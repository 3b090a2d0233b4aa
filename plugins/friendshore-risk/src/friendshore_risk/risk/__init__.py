"""The question `risk`: what to decide before anybody knows which events come."""
