"""What an answer says: its final answer, or the code it holds."""
