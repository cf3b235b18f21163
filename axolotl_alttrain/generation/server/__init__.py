"""Clients of servers that speak the OpenAI API."""
