"""Recipes and their data; a package so that they can be found after installation."""
