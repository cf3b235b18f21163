"""Reading answers: the final answer of a text, and the code in it."""
