"""A page that plans again in the browser: a plan, its program, and HiGHS as WebAssembly in one HTML file."""
