"""`withstand`: the cheapest mix that meets demand after any few losses, and what each number of losses costs."""
